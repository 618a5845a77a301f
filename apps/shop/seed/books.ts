/**
 * Books, with author and publisher in place of a brand.
 * `ageFrom` marks books for children.
 *
 * @module
 */
import type { ProductEntry } from './product.ts'

/** The thirty products of this category. */
export const books: readonly ProductEntry[] = [
  {
    sku: 'BOO-0001',
    name: 'The Lamp Mender of Skerrow',
    description:
      'On an island that is about to get electricity, a woman of seventy is paid to dismantle the lamps ' +
      'she has tended since she was a girl. Tarn tells one winter in short, plain chapters. There is a ' +
      'murder, but it is not what you remember afterwards.',
    priceCents: 1450,
    stock: 62,
    attributes: {
      author: 'Isobel Tarn',
      publisher: 'Greyhen Press',
      binding: 'paperback',
      pages: 312,
      language: 'English',
      publishedYear: 2022,
      genres: ['novel', 'historical'],
      weightG: 290,
    },
  },
  {
    sku: 'BOO-0002',
    name: 'Nineteen Ways to Cross a River',
    description:
      'Ferries, fords, cable cars and one elephant, from the Scheldt to the Brahmaputra. Vandaele is an ' +
      'engineer and curious about how things stay up, but mostly he talks to the people who take the ' +
      'fares. With 19 hand-drawn maps.',
    priceCents: 2400,
    stock: 28,
    attributes: {
      author: 'Piet Vandaele',
      publisher: 'Lantern Row',
      binding: 'hardback',
      pages: 368,
      language: 'English',
      publishedYear: 2023,
      genres: ['travel', 'history'],
      weightG: 640,
    },
  },
  {
    sku: 'BOO-0003',
    name: 'The Stubborn Loaf',
    description:
      'Bread for people with a job: every recipe says what happens at which hour and how to put it off ' +
      'until tomorrow. Forty loaves, from a no-knead tin loaf to a three-day rye. Weights in grams ' +
      'throughout, with photographs of the failures as well.',
    priceCents: 2950,
    stock: 41,
    attributes: {
      author: 'Marguerite Ollivier',
      publisher: 'Saltgate Editions',
      binding: 'hardback',
      pages: 224,
      language: 'English',
      publishedYear: 2021,
      genres: ['cookery', 'baking'],
      weightG: 980,
    },
  },
  {
    sku: 'BOO-0004',
    name: 'A Short History of Being Late',
    description:
      'How minutes became something one could owe. Weems begins with monastery bells, lingers over ' +
      'railway clocks and ends with the little spinning wheel on our screens. Funny in places, and the ' +
      'notes are worth reading too.',
    priceCents: 1275,
    stock: 50,
    attributes: {
      author: 'Conrad Weems',
      publisher: 'Lantern Row',
      binding: 'paperback',
      pages: 240,
      language: 'English',
      publishedYear: 2020,
      genres: ['history', 'essays'],
      weightG: 230,
    },
  },
  {
    sku: 'BOO-0005',
    name: 'La Façade',
    description:
      'The original French edition. A house in Lyon is hidden behind scaffolding for seven years, and its ' +
      'tenants start to live as though nobody could see them. Clear, dry prose that readers with a few ' +
      'years of school French can manage.',
    priceCents: 1390,
    stock: 23,
    attributes: {
      author: 'Éloïse Brandt',
      publisher: 'Saltgate Editions',
      binding: 'paperback',
      pages: 198,
      language: 'French',
      publishedYear: 2019,
      genres: ['novel'],
      weightG: 205,
    },
  },
  {
    sku: 'BOO-0006',
    name: 'The Façade',
    description:
      "Lindgate's English version keeps Brandt's dryness and her jokes about architects. Seven years " +
      'behind scaffolding change the tenants of one building in Lyon, first a little and then altogether. ' +
      'Shortlisted for two translation prizes; won neither, unfairly.',
    priceCents: 1490,
    stock: 35,
    attributes: {
      author: 'Éloïse Brandt',
      translator: 'Nora Lindgate',
      publisher: 'Saltgate Editions',
      binding: 'paperback',
      pages: 214,
      language: 'English',
      publishedYear: 2021,
      genres: ['novel', 'translated fiction'],
      weightG: 220,
    },
  },
  {
    sku: 'BOO-0007',
    name: 'Small Bicycles, Long Roads',
    description:
      'Four thousand kilometres on a folding bicycle with 16-inch wheels, undertaken after losing a bet. ' +
      'Roos is good on hills, breakfasts and the kindness of caravan owners. The appendix lists all she ' +
      'packed and what she sent home by post.',
    priceCents: 1850,
    stock: 44,
    attributes: {
      author: 'Hanneke Roos',
      publisher: 'Greyhen Press',
      binding: 'paperback',
      pages: 288,
      language: 'English',
      publishedYear: 2024,
      genres: ['travel', 'cycling'],
      weightG: 360,
    },
  },
  {
    sku: 'BOO-0008',
    name: 'Laundry at Four in the Morning',
    description:
      'Poems from two years of night shifts in a hospital laundry. They are short, often funny, and best ' +
      "read one at a time. Several have been set to music; the composer's note is at the back.",
    priceCents: 1100,
    stock: 57,
    attributes: {
      author: 'Dele Anson',
      publisher: 'Greyhen Press',
      binding: 'paperback',
      pages: 84,
      language: 'English',
      publishedYear: 2023,
      genres: ['poetry'],
      weightG: 120,
    },
  },
  {
    sku: 'BOO-0009',
    name: 'The Owl Who Kept the Receipts',
    description:
      'Owl writes down everything that anyone in the wood has ever borrowed. Then the paper runs out. For ' +
      'children from four who are learning to share, and for grown-ups who keep lists.',
    priceCents: 1350,
    stock: 79,
    attributes: {
      author: 'Bramwell Pike',
      illustrator: 'Suki Aldous',
      publisher: 'Little Quarto',
      binding: 'hardback',
      pages: 32,
      language: 'English',
      publishedYear: 2022,
      ageFrom: 4,
      genres: ['picture book'],
      weightG: 380,
    },
  },
  {
    sku: 'BOO-0010',
    name: 'Consensus at Closing Time',
    description:
      'Distributed systems explained through one imaginary pub whose bar staff must agree on the last ' +
      'orders. Behind the jokes stand proper proofs, and each chapter ends with exercises and a simulator ' +
      'to run. Assumes that you can program and are not afraid of a diagram.',
    priceCents: 3900,
    stock: 17,
    attributes: {
      author: 'Tomasz Verrill',
      publisher: 'Hollow Square',
      binding: 'paperback',
      pages: 432,
      language: 'English',
      publishedYear: 2024,
      genres: ['computing', 'textbook'],
      weightG: 760,
    },
  },
  {
    sku: 'BOO-0011',
    name: "The Patient Gardener's Almanac",
    description:
      'Fifty-two weeks, each with three jobs that matter and one that can be skipped with a clear ' +
      'conscience. Written for a temperate climate and heavy soil. The index goes by problem as well as ' +
      'by plant, so you can look up "yellow".',
    priceCents: 2250,
    stock: 36,
    attributes: {
      author: 'Wilhelmina Frayne',
      publisher: 'Saltgate Editions',
      binding: 'hardback',
      pages: 304,
      language: 'English',
      publishedYear: 2020,
      genres: ['gardening'],
      weightG: 820,
    },
  },
  {
    sku: 'BOO-0012',
    name: 'Death at the Umbrella Works',
    description:
      'Manchester, 1926: the foreman is found among the ribs and silk with a dry umbrella on a wet night. ' +
      'Inspector Ida Quill has three days before the strike closes the city. First of a series, complete ' +
      'in itself, and the clues are fair.',
    priceCents: 1099,
    stock: 88,
    attributes: {
      author: 'C. J. Haddow',
      publisher: 'Lantern Row',
      binding: 'paperback',
      pages: 296,
      language: 'English',
      publishedYear: 2021,
      genres: ['crime', 'historical'],
      weightG: 245,
    },
  },
  {
    sku: 'BOO-0013',
    name: 'Death on the Slow Line',
    description:
      'A stopping train, eleven stations, and one passenger fewer at each than there should be. The ' +
      'second case for Ida Quill takes place in a single night. It can be read before the first, though ' +
      'you would miss a good joke about hats.',
    priceCents: 1099,
    stock: 73,
    attributes: {
      author: 'C. J. Haddow',
      publisher: 'Lantern Row',
      binding: 'paperback',
      pages: 318,
      language: 'English',
      publishedYear: 2022,
      genres: ['crime', 'historical'],
      weightG: 262,
    },
  },
  {
    sku: 'BOO-0014',
    name: 'Listening Rooms',
    description:
      'Why a cello sounds at home in one room and lost in the next. Corrie, who tuned concert halls for ' +
      'thirty years, writes about wood, plaster and silence with hardly a formula. The last chapter is ' +
      'for people with one small flat and two loudspeakers.',
    priceCents: 3200,
    stock: 14,
    attributes: {
      author: 'Agnes Corrie',
      publisher: 'Hollow Square',
      binding: 'hardback',
      pages: 256,
      language: 'English',
      publishedYear: 2019,
      genres: ['music', 'essays'],
      weightG: 690,
    },
  },
  {
    sku: 'BOO-0015',
    name: 'Birds You Have Already Seen',
    description:
      'The sixty birds that make up nine tenths of all sightings in towns and villages, painted as you ' +
      'meet them: from behind, in bad light, leaving. Leave the rare ones for the second book. Fits a ' +
      'coat pocket and survives a shower.',
    priceCents: 1695,
    stock: 66,
    attributes: {
      author: 'Rhoda Fenn',
      illustrator: 'Max Ailsby',
      publisher: 'Greyhen Press',
      binding: 'flexible',
      pages: 192,
      language: 'English',
      publishedYear: 2023,
      genres: ['nature', 'field guide'],
      weightG: 310,
    },
  },
  {
    sku: 'BOO-0016',
    name: 'Salt, Lemon, Fire',
    description:
      'Grilling vegetables, fish and, now and then, meat over charcoal or under a kitchen grill. Most of ' +
      'the 85 recipes need fewer than eight ingredients. The chapter on charred leeks has made converts.',
    priceCents: 3400,
    stock: 20,
    attributes: {
      author: 'Paloma Íñiguez',
      publisher: 'Saltgate Editions',
      binding: 'hardback',
      pages: 272,
      language: 'English',
      publishedYear: 2022,
      genres: ['cookery'],
      weightG: 1250,
    },
  },
  {
    sku: 'BOO-0017',
    name: "The Cartographer's Daughter-in-Law",
    description:
      'She marries into a family that has drawn the same coastline for five generations, and finds that ' +
      'one island on it does not exist. Slow for sixty pages, then hard to put down. The map at the front ' +
      'should be looked at again at the end.',
    priceCents: 1590,
    stock: 31,
    attributes: {
      author: 'Ruth Okonjo-Hale',
      publisher: 'Greyhen Press',
      binding: 'paperback',
      pages: 402,
      language: 'English',
      publishedYear: 2020,
      genres: ['novel'],
      weightG: 375,
    },
  },
  {
    sku: 'BOO-0018',
    name: 'Naïve Set Theory for Sceptics',
    description:
      'Builds up the theory from nothing, and stops at each step to ask why anyone should believe it. ' +
      'Solutions to the odd-numbered exercises are given in full. A first-year student can follow it, as ' +
      'can a stubborn adult with a pencil.',
    priceCents: 2850,
    stock: 12,
    attributes: {
      author: 'Lennart Ek',
      publisher: 'Hollow Square',
      binding: 'paperback',
      pages: 176,
      language: 'English',
      publishedYear: 2018,
      genres: ['mathematics', 'textbook'],
      weightG: 330,
    },
  },
  {
    sku: 'BOO-0019',
    name: 'How the Kettle Works',
    description:
      'Ten things from the kitchen cut in half and drawn very large, from the toaster to the thermometer ' +
      'in the oven. Flaps to lift, and experiments that need only string, water and permission. Ages ' +
      'seven to about eighty.',
    priceCents: 1499,
    stock: 68,
    attributes: {
      author: 'Joss Merridew',
      illustrator: 'Suki Aldous',
      publisher: 'Little Quarto',
      binding: 'hardback',
      pages: 56,
      language: 'English',
      publishedYear: 2021,
      ageFrom: 7,
      genres: ["children's non-fiction", 'science'],
      weightG: 520,
    },
  },
  {
    sku: 'BOO-0020',
    name: 'Cold Orbit',
    description:
      'A repair crew of four reaches a weather station beyond Saturn and finds it has been maintained. ' +
      'The science is careful, the dread builds slowly, and nobody does anything stupid merely so that ' +
      'the plot can go on. Ends properly.',
    priceCents: 1199,
    stock: 83,
    attributes: {
      author: 'Yevgenia Marsh',
      publisher: 'Lantern Row',
      binding: 'paperback',
      pages: 448,
      language: 'English',
      publishedYear: 2023,
      genres: ['science fiction'],
      weightG: 395,
    },
  },
  {
    sku: 'BOO-0021',
    name: 'Notes from a Signal Box',
    description:
      'Thirty-one years of pulling levers at a junction that few trains stopped at. Pennell kept a diary ' +
      'of weather, foxes and telephone calls, and cut it down himself to the good parts. It makes ' +
      'solitude look like a craft.',
    priceCents: 1350,
    stock: 26,
    attributes: {
      author: 'Arthur Pennell',
      publisher: 'Greyhen Press',
      binding: 'paperback',
      pages: 208,
      language: 'English',
      publishedYear: 2019,
      genres: ['memoir', 'railways'],
      weightG: 215,
    },
  },
  {
    sku: 'BOO-0022',
    name: 'The Café at Number Nine',
    description:
      'Eleven regulars, one waiter and a coffee machine older than all of them. Each chapter belongs to ' +
      'one table, and the stories begin to lean on one another. Warm without being sweet; translated from ' +
      'the Spanish.',
    priceCents: 1185,
    stock: 95,
    attributes: {
      author: 'Lucía Belmonte',
      translator: 'Howard Stile',
      publisher: 'Saltgate Editions',
      binding: 'paperback',
      pages: 256,
      language: 'English',
      publishedYear: 2022,
      genres: ['novel', 'translated fiction'],
      weightG: 225,
    },
  },
  {
    sku: 'BOO-0023',
    name: 'Ink: A Practical Guide to Drawing',
    description:
      'Line, hatching, wash and correction, in that order, with a pen anyone can afford. Castellan draws ' +
      'the wrong version beside the right one and explains the difference without scolding. The paper is ' +
      'good enough to draw on, and he asks you to.',
    priceCents: 2600,
    stock: 21,
    attributes: {
      author: 'Théo Castellan',
      publisher: 'Hollow Square',
      binding: 'flexible',
      pages: 208,
      language: 'English',
      publishedYear: 2021,
      genres: ['art', 'handbook'],
      weightG: 610,
    },
  },
  {
    sku: 'BOO-0024',
    name: 'Grandmothers of the Periodic Table',
    description:
      'Fourteen women who weighed, boiled and named elements, several of them in kitchens. Salo went to ' +
      'the laboratory notebooks and quotes them at length, stains included. No previous chemistry is ' +
      'needed beyond knowing which end of a burner is hot.',
    priceCents: 1950,
    stock: 30,
    attributes: {
      author: 'Ingrid Salo',
      publisher: 'Lantern Row',
      binding: 'paperback',
      pages: 334,
      language: 'English',
      publishedYear: 2024,
      genres: ['science', 'biography'],
      weightG: 385,
    },
  },
  {
    sku: 'BOO-0025',
    name: 'Fox, Ferry, Fog',
    description:
      'Fox wants to cross the bay and nobody can see the other side. A quiet bedtime story in blue and ' +
      'grey with a refrain children soon say by heart. Printed on paper that stands up to small hands.',
    priceCents: 1280,
    stock: 47,
    attributes: {
      author: 'Bramwell Pike',
      illustrator: 'Suki Aldous',
      publisher: 'Little Quarto',
      binding: 'hardback',
      pages: 32,
      language: 'English',
      publishedYear: 2024,
      ageFrom: 3,
      genres: ['picture book'],
      weightG: 375,
    },
  },
  {
    sku: 'BOO-0026',
    name: 'The Honest Spreadsheet',
    description:
      'How to show figures so that neither you nor anyone else is fooled by them. Each chapter takes a ' +
      'real chart from a report or a newspaper and repairs it. Examples work in any spreadsheet program, ' +
      'and the files can be downloaded.',
    priceCents: 2750,
    stock: 19,
    attributes: {
      author: 'Bettina Krall',
      publisher: 'Hollow Square',
      binding: 'paperback',
      pages: 288,
      language: 'English',
      publishedYear: 2022,
      genres: ['statistics', 'handbook'],
      weightG: 495,
    },
  },
  {
    sku: 'BOO-0027',
    name: 'Everything Under the Ice',
    description:
      'A diver returns to the lake where her brother learnt to skate. Drawn in pencil and one shade of ' +
      'green, with whole pages that need no words. Reading takes an hour; putting it away takes longer.',
    priceCents: 2390,
    stock: 5,
    attributes: {
      author: 'Solveig Aamodt',
      publisher: 'Greyhen Press',
      binding: 'hardback',
      pages: 168,
      language: 'English',
      publishedYear: 2023,
      genres: ['graphic novel', 'memoir'],
      weightG: 710,
    },
  },
  {
    sku: 'BOO-0028',
    name: 'Walking Out of Town',
    description:
      'Thirty walks that begin at a tram stop or railway station and end at another, so there is no need ' +
      'to go back to a car. Between 6 and 24 km, graded by mud. The sketch maps are enough to keep you on ' +
      'the path, but take a real one on the hills.',
    priceCents: 1560,
    stock: 38,
    attributes: {
      author: 'Edmund Sayle',
      publisher: 'Lantern Row',
      binding: 'flexible',
      pages: 224,
      language: 'English',
      publishedYear: 2020,
      genres: ['walking', 'guidebook'],
      weightG: 320,
    },
  },
  {
    sku: 'BOO-0029',
    name: 'What Beans Want',
    description:
      "A history of coffee told from the plant's point of view: the goats, the smugglers, the frosts and " +
      'at last the paper cup. Ferreira grew up on a farm in Minas Gerais and is not sentimental about it. ' +
      'It includes the clearest account of decaffeination that we have read.',
    priceCents: 1790,
    stock: 0,
    attributes: {
      author: 'Odile Ferreira',
      publisher: 'Saltgate Editions',
      binding: 'paperback',
      pages: 240,
      language: 'English',
      publishedYear: 2021,
      genres: ['food history', 'coffee'],
      weightG: 340,
    },
  },
  {
    sku: 'BOO-0030',
    name: 'The Third Draft Is the First',
    description:
      'Advice on revising by an editor who has seen four hundred manuscripts through. She shows one page ' +
      'of a story in all of its eleven states. Short enough to be read in the evening on which you had ' +
      'meant to write.',
    priceCents: 1620,
    stock: 52,
    attributes: {
      author: 'Miriam Toll',
      publisher: 'Hollow Square',
      binding: 'paperback',
      pages: 160,
      language: 'English',
      publishedYear: 2023,
      genres: ['writing', 'handbook'],
      weightG: 180,
    },
  },
]
