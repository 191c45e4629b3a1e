const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** First names from many places, as people write them. */
export const firstNames = words(`
  Ada Adam Agnes Ahmet Aiko Aisha Alba Alex Ali Alice Amara Amir Ana Anders Andrea Anna Anton Ariel Arjun Astrid
  Ayşe Bao Beatriz Bela Ben Berat Bilal Bruno Büşra Camila Carlos Carmen Chiara Chidi Chloé Clara Dana Daniel Dario
  David Defne Deniz Diego Dilan Dmitri Ece Eda Ege Elena Eli Elif Emeka Emil Emma Emre Enzo Erik Esra Eva Fatma Felix
  Femi Fiona Florian Frida Gabriel Gizem Grace Gül Hakan Hana Hanna Haruto Hassan Helen Hugo Ibrahim Ines Inga Irene
  Isabel İlker İpek Ivan Iwona Jakob Jana Jasmin Jean Jelena João Jonas Jose Jorge Judith Julia Kaan Karim Karin Kofi
  Kwame Lara Lars Laura Layla Lea Leon Levent Lewis Lin Linh Lucas Lucía Luis Łucja Łukasz Maeve Magda Malik Marek
  Maria Marie Marta Mateo Max Mehmet Mei Mert Mia Mikael Milan Milena Mina Mira Mohamed Nadia Naomi Nazlı Nils Nina
  Noah Noor Nora Nuri Olga Oliver Olu Omar Onur Oskar Oya Özge Pablo Paul Pavel Pedro Petra Pia Quentin Rafael Rania
  Ravi Rosa Ruben Ruth Sakura Sam Samira Sara Selim Selin Sena Şeyma Sina Sofia Soren Stefan Sven Tamar Tariq Theo
  Tim Tomás Tove Tuğçe Ufuk Uma Ümit Vera Victor Wang Wei Xenia Yan Yasin Yuki Yusuf Zara Zeki Zeynep Zoë Øyvind
  Анна Борис Вера Игорь Мария Олег Ольга Юрий Νίκος Ελένη Μαρία Γιώργος दीपक प्रिया さくら はるか 美咲 小明 지우 민준 דנה נועם ليلى كريم`)

/** Last names from as many. */
export const lastNames = words(`
  Abe Acar Adams Aksoy Alves Andersen Arslan Aslan Aydın Bakker Bauer Becker Berg Bianchi Blanc Bose Braun Brown
  Byrne Campos Can Castro Çelik Çetin Chan Chen Clark Costa Cruz Dahl Das Demir Diallo Diaz Doğan Dubois Duarte
  Ekici Erdem Eriksen Fabre Fischer Flores Fonseca Frank Gallo Garcia Garnier Gomez Gray Gupta Güneş Haas Hall Hansen
  Hara Hoang Hoffman Holm Horvat Ito Ivanov Jansen Jensen Johnson Joshi Kaplan Kara Kato Kaya Keller Khan Kılıç Kim
  King Klein Koç Koch Kovač Kowal Krause Kumar Kurt Lang Larsen Le Lee Lehmann Lima Lind Lopez Lund Maier Marino
  Martin Mason Meyer Moreau Mori Müller Musa Nagy Nair Nguyen Nielsen Novak Nowak Okafor Okoye Olsen Onay Ortega Osei
  Özcan Özdemir Öztürk Park Patel Pavlov Perez Petrov Pham Polat Popa Quinn Ramos Rao Reyes Ricci Rivera Roberts Rossi
  Roy Russo Sahin Şahin Şen Sanchez Santos Sato Schmidt Schulz Sharma Silva Singh Smith Søgaard Soto Souza Suzuki
  Taş Taylor Tekin Thomsen Toprak Torres Tran Turan Uçar Uzun Vega Vidal Vogel Wagner Walker Weber White Wolf Wójcik
  Wright Yalçın Yang Yıldız Yılmaz Young Żak Zhang Zimmer
  Иванов Петров Смирнов Παππάς Νικολάου वर्मा たなか 佐藤 王 김 כהן حداد`)

export const adjectives = words(`
  amber bold brave bright calm clever cosmic crimson dark deep early eager fast fierce frosty gentle golden grand
  green happy hidden humble icy jolly keen kind late lazy little lone loud lucky mellow merry mighty misty noble old
  pale polar proud quick quiet rapid rare red royal rusty shy silent silver sly smart snowy solar steady stormy sunny
  super swift tidal tiny urban vivid warm wild windy wise witty young zesty`)

export const nouns = words(`
  anchor apple arrow badger beacon bear bee bird breeze brook camel canyon castle cedar cloud comet coral crane
  desert dolphin dragon eagle ember falcon fern finch fox garden glacier grove harbor hawk heron hill island jaguar
  kite lake lark leaf lemon lion lynx maple marlin meadow moon mountain ocean olive orbit otter owl panda pebble pine
  pixel planet puma quartz raven reef ridge river robin rocket sailor salmon shadow shark sky spark sparrow star stone
  storm summit tiger trail tulip turtle valley violet walrus wave whale willow wind wolf yarrow zebra`)

export const sports = words(`
  archery badminton baseball basketball biathlon bouldering boxing canoeing capoeira cricket curling cycling darts
  diving fencing floorball football futsal golf gymnastics handball hiking hockey judo karate kayaking lacrosse
  orienteering padel parkour petanque pilates polo rowing rugby running sailing skateboarding skiing snowboarding
  softball squash surfing swimming taekwondo tennis triathlon volleyball wakeboarding wrestling yoga`)

export const places = words(`
  Accra Adana Amsterdam Ankara Antalya Athens Auckland Barcelona Beirut Berlin Bogotá Bordeaux Bursa Cairo Chennai
  Copenhagen Cork Dakar Dublin Edinburgh Eskişehir Gdańsk Geneva Hanoi Helsinki İstanbul İzmir Jakarta Kraków Kyiv
  Kyoto Lagos Leipzig Lima Lisbon Ljubljana Lyon Madrid Malmö Manila Marrakesh Melbourne Milan Monaco Montréal Mumbai
  Nairobi Naples Osaka Oslo Paris Porto Prague Quito Reykjavík Riga Rome Santiago Seoul Seville Sofia Sydney Taipei
  Tallinn Tbilisi Tokyo Toronto Trabzon Utrecht Valencia Vienna Vilnius Warsaw Zagreb Zürich`)

/** What people say of themselves; `{sport}`, `{other}` and `{place}` are filled in. */
export const bios: readonly string[] = [
  'Hello, I love sports.',
  'I live in {place} and do {sport} whenever it does not rain.',
  '{sport} on weekdays, {other} on Sundays.',
  'Looking for people around {place} to try {other} with.',
  'Coach for {sport}. Ask me anything!',
  'Once came third in {sport}. Of three.',
  'Beginner in {other}, be patient with me.',
  'Born in {place}, at home wherever there is {sport}.',
  'Student, early riser, {sport} fan.',
  'New here. Somebody told me there is good {sport} in {place}?',
  'Weekend games every Saturday at ten, all levels welcome, we play {sport} first and have coffee later.',
  'I used to do {sport} seriously; now I do {other} for fun, and that is better for everybody involved.',
]
