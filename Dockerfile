# syntax=docker/dockerfile:1
# Not 24 yet: better-sqlite3 12 aborts there when it frees a statement, and 13 does not run on Node 20.
ARG NODE_VERSION=22

FROM node:${NODE_VERSION}-bookworm AS dependencies
WORKDIR /app
# The image has the headers of its own Node: node-gyp need not fetch them.
ENV npm_package_config_node_gyp_nodedir=/usr/local
COPY package.json package-lock.json .npmrc ./
# The package's own `prepare` wants the sources; the two native modules are all that needs a script.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm rebuild argon2 better-sqlite3

FROM dependencies AS build
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY projections projections
COPY src src
RUN npm run build

FROM node:${NODE_VERSION}-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 OPS_HOST=0.0.0.0 OPS_PORT=8001 DATA_DIR=/data
WORKDIR /app
RUN install --directory --owner=node --group=node /data
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY bin bin
USER node
VOLUME /data
EXPOSE 8000 8001
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPS_PORT}/readyz`).then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--expose-gc", "bin/start.cjs"]
