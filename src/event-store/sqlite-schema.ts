/** What `user_version` of the file says once `schema` was carried out. */
export const schemaVersion = 1n

/** Finds who was erased without reading the whole log. Logs of before get it when they are opened; it is not needed. */
export const erasuresIndex = `
  CREATE INDEX IF NOT EXISTS erasures ON events (position) WHERE type = 'UserErased';
`

/** Makes the tables; doing it twice changes nothing. */
export const schema = `
  CREATE TABLE IF NOT EXISTS events (
    -- AUTOINCREMENT: no position is given twice, even if the last event is truncated.
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL,
    revision INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    metadata TEXT NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS events_by_stream ON events (stream, revision);
  ${erasuresIndex}
  -- The last revision of each stream that was truncated behind its last event.
  CREATE TABLE IF NOT EXISTS emptied (stream TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = ${schemaVersion};
`
