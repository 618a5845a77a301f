/**
 * Coffee, tea, and what both are brewed with.
 * `brewTempC` of a kettle is the hottest it reaches.
 *
 * @module
 */
import type { ProductEntry } from './product.ts'

/** The thirty products of this category. */
export const coffeeAndTea: readonly ProductEntry[] = [
  {
    sku: 'COF-0001',
    name: 'Kestrelmoor House Espresso, 1 kg',
    description:
      'Three parts Brazilian natural to one part Ethiopian, roasted for people who take milk. It is ' +
      'forgiving when the grinder is a notch off. Start with 18 g in, 38 g out, in 28 seconds, and adjust ' +
      'from there.',
    priceCents: 2640,
    stock: 130,
    attributes: {
      brand: 'Kestrelmoor',
      type: 'whole bean coffee',
      origin: 'Brazil and Ethiopia',
      roast: 'medium-dark',
      process: 'natural',
      weightG: 1000,
      tastingNotes: ['hazelnut', 'dark chocolate', 'dried fig'],
      caffeine: true,
    },
  },
  {
    sku: 'COF-0002',
    name: 'Guji Highland Washed Coffee, 250 g',
    description:
      'Grown by some 600 smallholders around one washing station, and bought from it directly for the ' +
      'fourth year. In the cup it is closer to tea than to a dark espresso. Brew as filter, with water ' +
      'just off the boil.',
    priceCents: 1310,
    stock: 84,
    attributes: {
      brand: 'Café Orvelle',
      type: 'whole bean coffee',
      origin: 'Guji, Ethiopia',
      roast: 'light',
      process: 'washed',
      altitudeM: 2050,
      weightG: 250,
      tastingNotes: ['bergamot', 'apricot', 'black tea'],
      caffeine: true,
    },
  },
  {
    sku: 'COF-0003',
    name: 'Café Orvelle Nariño Decaf, 250 g',
    description:
      'Decaffeinated in Colombia with a solvent made from fermented sugar cane, which leaves more of the ' +
      'flavour behind than most methods do. Less than 0.1 % caffeine remains. Decaf stales a little ' +
      'faster, so finish the bag within four weeks.',
    priceCents: 1180,
    stock: 60,
    attributes: {
      brand: 'Café Orvelle',
      type: 'whole bean coffee',
      origin: 'Nariño, Colombia',
      roast: 'medium',
      process: 'sugarcane decaffeination',
      altitudeM: 1850,
      weightG: 250,
      tastingNotes: ['toffee', 'red apple', 'cocoa'],
      caffeine: false,
    },
  },
  {
    sku: 'COF-0004',
    name: 'Kestrelmoor Slow Sunday Filter Blend, 340 g',
    description:
      'Ground for paper filters and machine baskets on the day it is roasted. The bag has a one-way valve ' +
      'and a zip that really closes. At 60 g to the litre it makes about twenty-five mugs.',
    priceCents: 1375,
    stock: 71,
    attributes: {
      brand: 'Kestrelmoor',
      type: 'ground coffee',
      origin: 'Guatemala and Rwanda',
      roast: 'medium',
      process: 'washed',
      weightG: 340,
      tastingNotes: ['brown sugar', 'orange', 'almond'],
      caffeine: true,
    },
  },
  {
    sku: 'COF-0005',
    name: 'Lockhollow Second-Flush Darjeeling, 100 g',
    description:
      'Plucked in June from a single garden at 1,700 m, when the leaf has the grape note the region is ' +
      'known for. Three minutes is enough; five makes it bitter. Best without milk, though nobody will ' +
      'check.',
    priceCents: 1450,
    stock: 43,
    attributes: {
      brand: 'Lockhollow',
      type: 'black tea',
      origin: 'Darjeeling, India',
      weightG: 100,
      brewTempC: 90,
      steepMinutes: 3,
      tastingNotes: ['muscat grape', 'cedar'],
      caffeine: true,
      organic: true,
    },
  },
  {
    sku: 'COF-0006',
    name: 'Lockhollow Breakfast Tea, 80 Bags',
    description:
      'Strong, malty and quick to colour, blended to stand up to hard water and a generous splash of ' +
      'milk. The bags are paper with a stitched seam and no plastic. One bag makes one large mug.',
    priceCents: 685,
    stock: 210,
    attributes: {
      brand: 'Lockhollow',
      type: 'black tea',
      origin: 'Assam and Kenya',
      weightG: 250,
      teabagCount: 80,
      brewTempC: 100,
      steepMinutes: 4,
      caffeine: true,
      organic: false,
    },
  },
  {
    sku: 'COF-0007',
    name: 'Hethersage Chamomile and Lime Flower Tisane',
    description:
      'Whole chamomile heads and hand-picked lime flowers, as an evening drink for two or three weeks. ' +
      'Use a heaped tablespoon per cup, since the flowers are light and fluffy. Cover the cup while it ' +
      'stands to keep the aroma in.',
    priceCents: 595,
    stock: 96,
    attributes: {
      brand: 'Hethersage',
      type: 'herbal tea',
      origin: 'Hungary and Croatia',
      weightG: 60,
      brewTempC: 100,
      steepMinutes: 8,
      tastingNotes: ['honey', 'hay', 'linden'],
      caffeine: false,
      organic: true,
    },
  },
  {
    sku: 'COF-0008',
    name: 'Lapsang from the Pine Smokehouse, 75 g',
    description:
      "Withered over pine fires until the leaf smells like last night's bonfire. People tend to love it " +
      'or leave the room. A pinch also does good things to a pot of lentils or a marinade for duck.',
    priceCents: 875,
    stock: 26,
    attributes: {
      brand: 'Lockhollow',
      type: 'black tea',
      origin: 'Fujian, China',
      weightG: 75,
      brewTempC: 95,
      steepMinutes: 4,
      tastingNotes: ['wood smoke', 'plum', 'leather'],
      caffeine: true,
      organic: false,
    },
  },
  {
    sku: 'COF-0009',
    name: 'Kagoshima First-Harvest Sencha, 80 g',
    description:
      'The first picking of April, steamed for a long time so that the cup turns cloudy and bright green. ' +
      'Let the water cool to 70 °C or it will taste of nothing but cabbage. The same leaves give three ' +
      'good infusions.',
    priceCents: 1690,
    stock: 18,
    attributes: {
      brand: 'Lockhollow',
      type: 'green tea',
      origin: 'Kagoshima, Japan',
      weightG: 80,
      brewTempC: 70,
      steepMinutes: 1.5,
      tastingNotes: ['spinach', 'sea breeze', 'sweet pea'],
      caffeine: true,
      organic: true,
    },
  },
  {
    sku: 'COF-0010',
    name: 'Uji Matcha, 30 g Tin',
    description:
      'Stone-ground from shaded leaves, fine enough to whisk into water without clumps if you sieve it ' +
      'first. Smooth enough to drink on its own, and rather wasted in cake. Keep the tin in the fridge ' +
      'once opened and use it within a month.',
    priceCents: 2200,
    stock: 4,
    attributes: {
      brand: 'Lockhollow',
      type: 'green tea',
      origin: 'Uji, Japan',
      weightG: 30,
      brewTempC: 75,
      tastingNotes: ['cream', 'fresh peas', 'chestnut'],
      caffeine: true,
      organic: false,
    },
  },
  {
    sku: 'COF-0011',
    name: 'Hethersage Masala Chai, Loose Leaf',
    description:
      'Rolled Assam with whole spices you can see, not a dusting of flavouring. Simmer a spoonful in half ' +
      'milk, half water for ten minutes and sweeten more than you think decent. Ginger leads, pepper ' +
      'follows.',
    priceCents: 780,
    stock: 88,
    attributes: {
      brand: 'Hethersage',
      type: 'spiced tea',
      origin: 'Assam, India',
      weightG: 125,
      brewTempC: 100,
      steepMinutes: 10,
      tastingNotes: ['cardamom', 'ginger', 'clove', 'black pepper'],
      caffeine: true,
      organic: true,
    },
  },
  {
    sku: 'COF-0012',
    name: 'Rooibos with Orange Peel, 40 Bags',
    description:
      'Red, round and free of caffeine, with dried peel rather than orange oil. It cannot be over-brewed: ' +
      'forget the bag in the cup and nothing bad happens. Good iced, with a slice of peach.',
    priceCents: 540,
    stock: 147,
    attributes: {
      brand: 'Hethersage',
      type: 'herbal tea',
      origin: 'Cederberg, South Africa',
      weightG: 80,
      teabagCount: 40,
      brewTempC: 100,
      steepMinutes: 6,
      tastingNotes: ['orange', 'vanilla', 'honey'],
      caffeine: false,
      organic: true,
    },
  },
  {
    sku: 'COF-0013',
    name: 'Brambock Cafetière, 1 l',
    description:
      'Eight small cups or three honest mugs. The plunger has a double mesh with a silicone lip, which ' +
      'keeps nearly all the grounds below. Should the glass break, the replacement beaker costs about a ' +
      'third of the whole.',
    priceCents: 3450,
    stock: 52,
    attributes: {
      brand: 'Brambock',
      type: 'coffee brewer',
      material: 'borosilicate glass and steel',
      capacityMl: 1000,
      heightCm: 22,
      dishwasherSafe: true,
      weightG: 720,
    },
  },
  {
    sku: 'COF-0014',
    name: 'Brambock Gooseneck Kettle, 0.9 l',
    description:
      'Set a temperature between 40 and 100 °C, and it holds it for half an hour. The thin spout pours a ' +
      'steady thread of water exactly where you point it. It is slower to boil than a wide kettle and not ' +
      'meant for filling saucepans.',
    priceCents: 8900,
    stock: 24,
    attributes: {
      brand: 'Brambock',
      type: 'kettle',
      material: 'stainless steel',
      capacityMl: 900,
      powerW: 1200,
      brewTempC: 100,
      weightG: 1180,
      colours: ['matt black', 'brushed steel'],
    },
  },
  {
    sku: 'COF-0015',
    name: 'Brambock Burr 38 Hand Grinder',
    description:
      'Conical steel burrs of 38 mm held by two bearings, so the grind stays even from filter to ' +
      'espresso. Twenty-five grams of light roast takes about a minute of honest work. The handle folds ' +
      'off and everything fits in a sock for travelling.',
    priceCents: 7450,
    stock: 29,
    attributes: {
      brand: 'Brambock',
      type: 'grinder',
      material: 'aluminium and hardened steel',
      burrMm: 38,
      capacityG: 25,
      settings: 30,
      weightG: 560,
    },
  },
  {
    sku: 'COF-0016',
    name: 'Porcelain Cone Dripper, Size 02',
    description:
      'A steep cone with spiral ribs and one large hole, for one to four cups. Rinse the paper with hot ' +
      'water first, which also warms the porcelain. The flat foot sits safely on mugs up to 9.5 cm ' +
      'across.',
    priceCents: 2150,
    stock: 40,
    attributes: {
      brand: 'Café Orvelle',
      type: 'coffee brewer',
      material: 'porcelain',
      capacityMl: 600,
      dishwasherSafe: true,
      weightG: 390,
      colours: ['white', 'celadon'],
    },
  },
  {
    sku: 'COF-0017',
    name: 'Unbleached Filter Papers 02, Pack of 100',
    description:
      'Brown paper with a crimped seam that does not come apart in the compost before it should. Rinse ' +
      'each one before use, or the first cup tastes faintly of cardboard. They fit all cone-shaped ' +
      'drippers of size 02.',
    priceCents: 545,
    stock: 250,
    attributes: {
      brand: 'Café Orvelle',
      type: 'filter papers',
      material: 'unbleached paper',
      pieceCount: 100,
      fits: ['cone drippers size 02'],
      weightG: 140,
    },
  },
  {
    sku: 'COF-0018',
    name: 'Brambock Stovetop Moka Pot, 6 Cups',
    description:
      'Steel throughout, so it works on induction and may go in the dishwasher, unlike its aluminium ' +
      'relatives. Fill to just below the valve, keep the heat low and take it off when it starts to ' +
      'gurgle. Makes six demitasses or two strong milky coffees.',
    priceCents: 3290,
    stock: 37,
    attributes: {
      brand: 'Brambock',
      type: 'coffee brewer',
      material: 'stainless steel',
      capacityMl: 300,
      inductionReady: true,
      dishwasherSafe: true,
      weightG: 640,
    },
  },
  {
    sku: 'COF-0019',
    name: 'Milk Pitcher with Sharp Spout, 350 ml',
    description:
      'The narrow spout is made for rosettas and tulips; for plain foam any jug will do. Holds enough ' +
      'milk for one large cup, with measuring lines stamped on the inside. Steel 0.8 mm thick, so your ' +
      'hand feels the temperature in time.',
    priceCents: 1835,
    stock: 63,
    attributes: {
      brand: 'Brambock',
      type: 'barista tool',
      material: 'stainless steel',
      capacityMl: 350,
      dishwasherSafe: true,
      weightG: 190,
      colours: ['steel', 'matt white'],
    },
  },
  {
    sku: 'COF-0020',
    name: 'Brambock Gram Scale with Timer',
    description:
      'Reads to a tenth of a gram and shows weight and time side by side. The timer can start by itself ' +
      'when the first drop lands. A silicone pad keeps hot cups off the glass, and the battery is charged ' +
      'by USB-C.',
    priceCents: 4200,
    stock: 35,
    attributes: {
      brand: 'Brambock',
      type: 'scale',
      resolutionG: 0.1,
      weightMaxG: 2000,
      batteryHours: 40,
      weightG: 330,
      colours: ['black'],
    },
  },
  {
    sku: 'COF-0021',
    name: 'Lockhollow Cast-Iron Teapot, 0.8 l',
    description:
      'Keeps tea hot through a long conversation. The inside is enamelled, so it must not go on the hob ' +
      'or in the dishwasher; rinse it and dry it with a cloth. The steel basket inside lifts out when the ' +
      'tea is strong enough.',
    priceCents: 5950,
    stock: 15,
    attributes: {
      brand: 'Lockhollow',
      type: 'teapot',
      material: 'cast iron, enamelled inside',
      capacityMl: 800,
      inductionReady: false,
      dishwasherSafe: false,
      weightG: 1650,
      colours: ['iron black', 'pine green'],
    },
  },
  {
    sku: 'COF-0022',
    name: 'Glass Teapot with Infuser, 1.2 l',
    description:
      'See the leaves unfold and take them out at the right shade. The infuser is glass too, with slits ' +
      'cut by laser, so nothing colours or rusts. It fits on a tealight warmer and pours without dripping ' +
      'down the spout.',
    priceCents: 2990,
    stock: 28,
    attributes: {
      brand: 'Lockhollow',
      type: 'teapot',
      material: 'borosilicate glass',
      capacityMl: 1200,
      dishwasherSafe: true,
      weightG: 540,
    },
  },
  {
    sku: 'COF-0023',
    name: 'Brambock Level Tamper, 58 mm',
    description:
      'A collar rests on the rim of the basket, so the coffee is always pressed flat. Fits standard 58 mm ' +
      'baskets; measure yours, because many home machines use 51 or 54 mm. The ash handle is oiled, not ' +
      'varnished.',
    priceCents: 3900,
    stock: 5,
    attributes: {
      brand: 'Brambock',
      type: 'barista tool',
      material: 'stainless steel and ash',
      diameterMm: 58,
      weightG: 420,
    },
  },
  {
    sku: 'COF-0024',
    name: 'Brambock Ottone Lever Espresso Machine',
    description:
      'You are the pump: pull the lever down, wait for the first drops, and press. It takes a week to ' +
      'learn and rewards you with espresso that few automatic machines match. Every seal can be replaced ' +
      'with one spanner, and the kit of spares is included.',
    priceCents: 64900,
    stock: 2,
    attributes: {
      brand: 'Brambock',
      type: 'espresso machine',
      material: 'brass and chromed steel',
      powerW: 1000,
      capacityMl: 800,
      pressureBar: 9,
      weightG: 6900,
      colours: ['chrome', 'copper'],
    },
  },
  {
    sku: 'COF-0025',
    name: 'Cold-Brew Bottle, 750 ml',
    description:
      'Coarse coffee goes in the mesh, cold water on top, and the bottle in the fridge door overnight. By ' +
      'breakfast you have three tall glasses that keep for four days. The spout doubles as the stopper.',
    priceCents: 2450,
    stock: 0,
    attributes: {
      brand: 'Café Orvelle',
      type: 'coffee brewer',
      material: 'glass and silicone',
      capacityMl: 750,
      dishwasherSafe: true,
      weightG: 410,
      colours: ['clear', 'rose'],
    },
  },
  {
    sku: 'COF-0026',
    name: 'Orvelle Demitasse Cups, Set of Four',
    description:
      'Thick walls and a rounded bottom, the way an old café in any harbour town would have them. They ' +
      'stay warm for the two minutes an espresso lasts. Saucers included; the glaze is called crème and ' +
      'is a shade warmer than white.',
    priceCents: 3600,
    stock: 34,
    attributes: {
      brand: 'Café Orvelle',
      type: 'cups',
      material: 'porcelain',
      capacityMl: 70,
      pieceCount: 4,
      dishwasherSafe: true,
      weightG: 880,
      colours: ['crème', 'ink blue'],
    },
  },
  {
    sku: 'COF-0027',
    name: 'Brambock Commuter Mug, 350 ml',
    description:
      'Locks with a twist and can be thrown into a bag full of paper. The lid comes apart into three ' +
      'pieces so the seal never turns musty. It fits under most espresso spouts and in every bicycle ' +
      'bottle cage we tried.',
    priceCents: 2799,
    stock: 102,
    attributes: {
      brand: 'Brambock',
      type: 'travel mug',
      material: 'stainless steel',
      capacityMl: 350,
      keepsHotHours: 5,
      dishwasherSafe: true,
      weightG: 285,
      colours: ['fog', 'forest', 'plum', 'mustard'],
    },
  },
  {
    sku: 'COF-0028',
    name: 'Kettle and Machine Descaler, 500 g',
    description:
      'Plain citric acid with a measuring spoon, enough for twenty rounds. Dissolve it in cold water, ' +
      'since hot acid leaves its own deposit, and rinse twice. Never use it on marble, enamel or ' +
      'aluminium.',
    priceCents: 865,
    stock: 165,
    attributes: { brand: 'Brambock', type: 'cleaning', material: 'citric acid', weightG: 500, doses: 20 },
  },
  {
    sku: 'COF-0029',
    name: 'Hethersage Drinking Chocolate, 70 %',
    description:
      'Shavings of real chocolate, not powder. Whisk four spoons into hot milk and let it thicken for a ' +
      'minute; with water it becomes darker and more austere. Eight cups to a tin, fewer with a spoonful ' +
      'of crème fraîche on the side.',
    priceCents: 1145,
    stock: 79,
    attributes: {
      brand: 'Hethersage',
      type: 'drinking chocolate',
      origin: 'Dominican Republic',
      weightG: 250,
      cocoaPercent: 70,
      tastingNotes: ['raisin', 'roasted nut'],
      caffeine: true,
      organic: true,
    },
  },
  {
    sku: 'COF-0030',
    name: 'Nine Teas Tasting Box',
    description:
      'Nine small tins from white to smoked, each enough for five or six cups. A folded sheet gives ' +
      'temperature and time for every one, and leaves room for your own notes. Ordered most in December ' +
      'and, curiously, in May.',
    priceCents: 2460,
    stock: 47,
    attributes: {
      brand: 'Lockhollow',
      type: 'tea selection',
      weightG: 135,
      pieceCount: 9,
      caffeine: true,
      organic: false,
    },
  },
]
