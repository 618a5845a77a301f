/**
 * Knives, pans, bakeware and small machines.
 * `ovenSafeToC` is absent where an oven makes no sense.
 *
 * @module
 */
import type { ProductEntry } from './product.ts'

/** The thirty products of this category. */
export const kitchen: readonly ProductEntry[] = [
  {
    sku: 'KIT-0001',
    name: "Smedholt Chef's Knife, 20 cm",
    description:
      'One knife that does four fifths of the work. The steel is soft enough to sharpen at home and hard ' +
      'enough to stay keen for a month or two of daily cooking. Balanced just in front of the bolster; ' +
      'wash by hand and dry at once.',
    priceCents: 8900,
    stock: 42,
    attributes: {
      brand: 'Smedholt',
      type: 'knife',
      material: 'carbon-chromium steel',
      bladeCm: 20,
      hardnessHrc: 58,
      dishwasherSafe: false,
      weightG: 215,
    },
  },
  {
    sku: 'KIT-0002',
    name: 'Smedholt Paring Knife, 9 cm',
    description:
      'For strawberries, shallots and anything held in the hand. The spine is rounded where the thumb ' +
      'rests. It comes with a blade cover, so it can travel to picnics.',
    priceCents: 2435,
    stock: 88,
    attributes: {
      brand: 'Smedholt',
      type: 'knife',
      material: 'carbon-chromium steel',
      bladeCm: 9,
      hardnessHrc: 58,
      dishwasherSafe: false,
      weightG: 72,
    },
  },
  {
    sku: 'KIT-0003',
    name: 'Ferrandel Sauté Pan with Lid, 24 cm',
    description:
      'Straight sides, a core of aluminium right up to the rim, and a lid that fits. Food sticks when the ' +
      'pan is too cold and lets go when it is ready; that is how steel behaves. Both handles are riveted ' +
      'and stay cool on the hob.',
    priceCents: 11900,
    stock: 23,
    attributes: {
      brand: 'Ferrandel',
      type: 'pan',
      material: 'three-ply stainless steel',
      diameterCm: 24,
      capacityL: 2.9,
      inductionReady: true,
      ovenSafeToC: 260,
      dishwasherSafe: true,
      weightG: 1950,
    },
  },
  {
    sku: 'KIT-0004',
    name: 'Ferrandel Enamelled Casserole, 4.7 l',
    description:
      'Heavy, slow to warm and slow to cool, which is what a stew wants. Little bumps under the lid send ' +
      'the steam back over the meat. The pale enamel inside shows you how brown the onions are, and will ' +
      'stain a little over the years.',
    priceCents: 17900,
    stock: 17,
    attributes: {
      brand: 'Ferrandel',
      type: 'casserole',
      material: 'enamelled cast iron',
      diameterCm: 26,
      capacityL: 4.7,
      inductionReady: true,
      ovenSafeToC: 250,
      dishwasherSafe: true,
      weightG: 5300,
      colours: ['aubergine', 'crème', 'petrol'],
    },
  },
  {
    sku: 'KIT-0005',
    name: 'Oxtable End-Grain Chopping Board',
    description:
      'Blocks of oak stand upright so that the knife slips between the fibres instead of across them. Oil ' +
      'it once a month in the first half-year, later when it looks thirsty. Rubber feet on one side, a ' +
      'juice groove on the other.',
    priceCents: 7950,
    stock: 13,
    attributes: {
      brand: 'Oxtable',
      type: 'chopping board',
      material: 'oak',
      lengthCm: 40,
      widthCm: 30,
      thicknessMm: 38,
      dishwasherSafe: false,
      weightG: 3600,
    },
  },
  {
    sku: 'KIT-0006',
    name: 'Tinnock Probe Thermometer',
    description:
      'A folding thermometer that shows the core temperature in about three seconds, accurate to half a ' +
      'degree. The display lights up and turns to suit either hand. Doneness figures for beef, pork, ' +
      'poultry, fish and bread are printed on the back.',
    priceCents: 2999,
    stock: 125,
    attributes: {
      brand: 'Tinnock',
      type: 'thermometer',
      rangeMinC: -40,
      rangeMaxC: 250,
      responseSeconds: 3,
      waterRating: 'IPX6',
      weightG: 78,
      colours: ['red', 'black', 'yellow'],
    },
  },
  {
    sku: 'KIT-0007',
    name: 'Crème Brûlée Set with Torch',
    description:
      'Four shallow dishes and a small torch for the sugar. Wide and low is right for crème brûlée, since ' +
      'the crust is the point. The torch is delivered empty and takes ordinary lighter gas.',
    priceCents: 4490,
    stock: 30,
    attributes: {
      brand: 'Brodelle',
      type: 'baking set',
      material: 'stoneware',
      pieceCount: 5,
      ovenSafeToC: 220,
      dishwasherSafe: true,
      weightG: 1340,
      colours: ['white'],
    },
  },
  {
    sku: 'KIT-0008',
    name: 'Smedholt Bread Knife, 25 cm',
    description:
      'Long enough for a round country loaf in one stroke. The scalloped edge has rounded points that cut ' +
      'crust without tearing the crumb, and tomatoes too. It can be reground by the maker, who charges ' +
      'only the postage.',
    priceCents: 6400,
    stock: 36,
    attributes: {
      brand: 'Smedholt',
      type: 'knife',
      material: 'carbon-chromium steel',
      bladeCm: 25,
      hardnessHrc: 57,
      dishwasherSafe: false,
      weightG: 240,
    },
  },
  {
    sku: 'KIT-0009',
    name: 'Brodelle Proving Basket, Oval',
    description:
      'Rattan cane that draws moisture from the skin of the dough and leaves those floury rings. Dust it ' +
      'with rye or rice flour rather than wheat, which sticks. A washable linen liner is included for ' +
      'wetter doughs.',
    priceCents: 1990,
    stock: 55,
    attributes: {
      brand: 'Brodelle',
      type: 'baking',
      material: 'rattan',
      lengthCm: 28,
      doughMaxG: 1000,
      dishwasherSafe: false,
      weightG: 240,
    },
  },
  {
    sku: 'KIT-0010',
    name: 'Tinnock Kitchen Scale, 5 kg',
    description:
      'Flat, quiet about itself and accurate to a gram. The display pulls out by 8 cm so that a large ' +
      'bowl does not hide the number. Switches itself off after five minutes, not after thirty seconds ' +
      'while you look for the flour.',
    priceCents: 3250,
    stock: 70,
    attributes: {
      brand: 'Tinnock',
      type: 'scale',
      weightMaxG: 5000,
      resolutionG: 1,
      material: 'tempered glass',
      weightG: 480,
      colours: ['white', 'slate'],
    },
  },
  {
    sku: 'KIT-0011',
    name: 'Carbon-Steel Wok, 32 cm',
    description:
      'Light enough to toss with one arm. It arrives with a coat of wax that has to be scrubbed off ' +
      'before the first seasoning; the leaflet shows how, and it takes half an hour. After a dozen meals ' +
      'it turns black and hardly anything sticks.',
    priceCents: 4620,
    stock: 27,
    attributes: {
      brand: 'Ferrandel',
      type: 'pan',
      material: 'carbon steel',
      diameterCm: 32,
      capacityL: 4.2,
      inductionReady: true,
      ovenSafeToC: 300,
      dishwasherSafe: false,
      weightG: 1420,
    },
  },
  {
    sku: 'KIT-0012',
    name: 'Tinnock Stick Blender 800',
    description:
      'Soup in the pan, mayonnaise in the beaker. The speed follows how hard you squeeze, and the guard ' +
      'round the blade is shaped so that it does not suck itself to the bottom. With whisk, chopper and a ' +
      '700 ml beaker.',
    priceCents: 6499,
    stock: 44,
    attributes: {
      brand: 'Tinnock',
      type: 'blender',
      powerW: 800,
      material: 'stainless steel',
      pieceCount: 4,
      dishwasherSafe: true,
      weightG: 1250,
      colours: ['graphite', 'cream'],
    },
  },
  {
    sku: 'KIT-0013',
    name: 'Brodelle Stand Mixer, 4.8 l',
    description:
      'A direct-drive motor kneads up to 1.4 kg of bread dough without walking across the worktop. Whisk, ' +
      'flat beater, dough hook and a pouring shield are included. The gears are metal, and the maker ' +
      'sells every part of it down to the last screw.',
    priceCents: 42900,
    stock: 8,
    attributes: {
      brand: 'Brodelle',
      type: 'mixer',
      powerW: 500,
      capacityL: 4.8,
      material: 'die-cast aluminium',
      pieceCount: 5,
      weightG: 9800,
      colours: ['chalk', 'pistachio', 'cherry', 'black'],
    },
  },
  {
    sku: 'KIT-0014',
    name: 'Oxtable Salad Spinner, 5 l',
    description:
      'Turn the knob a few times, press the brake and the leaves are dry. The outer bowl is steel and ' +
      'looks decent on the table. Also useful for drying a hand-washed woollen jumper, if nobody is ' +
      'watching.',
    priceCents: 2890,
    stock: 39,
    attributes: {
      brand: 'Oxtable',
      type: 'salad spinner',
      capacityL: 5,
      material: 'stainless steel and polypropylene',
      diameterCm: 26,
      dishwasherSafe: true,
      weightG: 980,
    },
  },
  {
    sku: 'KIT-0015',
    name: 'Tinnock Mandoline with Guard',
    description:
      'Slices from half a millimetre to eight, with two inserts for matchsticks. The blade is very sharp, ' +
      'and the guard is in the box because you should use it. Folds to the thickness of a magazine.',
    priceCents: 3790,
    stock: 20,
    attributes: {
      brand: 'Tinnock',
      type: 'slicer',
      material: 'stainless steel',
      thicknessMinMm: 0.5,
      thicknessMaxMm: 8,
      dishwasherSafe: true,
      weightG: 860,
    },
  },
  {
    sku: 'KIT-0016',
    name: 'Beech Pepper Mill, 18 cm',
    description:
      'A steel mechanism that cracks the corn first and then grinds it, in six steps from dust to steak. ' +
      'The setting ring sits at the bottom, so it does not shift when you refill. Pepper only: salt would ' +
      'rust the burrs.',
    priceCents: 3500,
    stock: 61,
    attributes: {
      brand: 'Oxtable',
      type: 'mill',
      material: 'beech and steel',
      heightCm: 18,
      settings: 6,
      dishwasherSafe: false,
      weightG: 270,
      colours: ['natural', 'black'],
    },
  },
  {
    sku: 'KIT-0017',
    name: 'Granite Pestle and Mortar',
    description:
      'Unpolished inside, so the spices stay put and get crushed. The first job is to grind a handful of ' +
      'rice to grey dust and throw it away. At over 4 kg it will not wander about the table.',
    priceCents: 3290,
    stock: 19,
    attributes: {
      brand: 'Oxtable',
      type: 'mortar',
      material: 'granite',
      diameterCm: 16,
      capacityL: 0.7,
      dishwasherSafe: false,
      weightG: 4300,
    },
  },
  {
    sku: 'KIT-0018',
    name: 'Brodelle Loaf Tin, 900 g',
    description:
      'Folded corners without a seam for crumbs to hide in. The steel is uncoated and browns the sides ' +
      'well; butter it or line it with paper. Wire in the rim keeps it from twisting in the oven.',
    priceCents: 1425,
    stock: 133,
    attributes: {
      brand: 'Brodelle',
      type: 'baking tin',
      material: 'aluminised steel',
      lengthCm: 23,
      ovenSafeToC: 240,
      dishwasherSafe: false,
      weightG: 420,
    },
  },
  {
    sku: 'KIT-0019',
    name: 'Madeleine Tray, 12 Shells',
    description:
      'Deep shells that give the hump madeleines are judged by. Chill the batter for an hour and put it ' +
      'into a hot oven. The non-stick coating dislikes metal forks, so turn the tray over and tap.',
    priceCents: 2195,
    stock: 46,
    attributes: {
      brand: 'Brodelle',
      type: 'baking tin',
      material: 'carbon steel',
      pieceCount: 12,
      ovenSafeToC: 230,
      dishwasherSafe: false,
      weightG: 610,
    },
  },
  {
    sku: 'KIT-0020',
    name: 'Glass Storage Containers, Set of Five',
    description:
      "From a child's portion to half a lasagne, nesting into one another when empty. Oven, freezer and " +
      'microwave are all fine without the lids. The seals pull out for cleaning and can be reordered.',
    priceCents: 3990,
    stock: 58,
    attributes: {
      brand: 'Tinnock',
      type: 'food storage',
      material: 'borosilicate glass',
      pieceCount: 5,
      capacityL: 4.1,
      ovenSafeToC: 220,
      dishwasherSafe: true,
      weightG: 2750,
    },
  },
  {
    sku: 'KIT-0021',
    name: 'Ferrandel Stockpot, 10 l',
    description:
      'Room for two chickens, jam from 4 kg of plums or spaghetti for a football team. Litre marks are ' +
      'etched inside. Measure your cupboard first: with the lid on it stands 25 cm tall.',
    priceCents: 13400,
    stock: 11,
    attributes: {
      brand: 'Ferrandel',
      type: 'pot',
      material: 'stainless steel',
      diameterCm: 28,
      capacityL: 10,
      inductionReady: true,
      ovenSafeToC: 260,
      dishwasherSafe: true,
      weightG: 3300,
    },
  },
  {
    sku: 'KIT-0022',
    name: 'Fine-Mesh Sieve, 18 cm',
    description:
      'Fine enough for icing sugar and custard, strong enough to press raspberries through. A double hook ' +
      'rests on bowls and pans up to 24 cm. The frame is closed all round, leaving no gap where rice can ' +
      'lodge.',
    priceCents: 1670,
    stock: 90,
    attributes: {
      brand: 'Tinnock',
      type: 'sieve',
      material: 'stainless steel',
      diameterCm: 18,
      meshMm: 0.6,
      dishwasherSafe: true,
      weightG: 190,
    },
  },
  {
    sku: 'KIT-0023',
    name: 'Silicone Spatulas, Set of Three',
    description:
      'One wide for batter, one narrow for jam jars, one shaped like a spoon. There is a steel strip in ' +
      'each blade, so they scrape instead of folding over. The heads pull off the beech handles for ' +
      'washing.',
    priceCents: 1885,
    stock: 112,
    attributes: {
      brand: 'Oxtable',
      type: 'utensil',
      material: 'silicone and beech',
      pieceCount: 3,
      ovenSafeToC: 230,
      dishwasherSafe: false,
      weightG: 230,
      colours: ['brick', 'olive', 'navy'],
    },
  },
  {
    sku: 'KIT-0024',
    name: 'Tinnock Fine Zester',
    description:
      'Etched teeth that take the yellow off a lemon and leave the white. It is equally good with nutmeg, ' +
      'hard cheese, garlic and ginger. Rinse it straight away; dried parmesan needs a brush.',
    priceCents: 1765,
    stock: 97,
    attributes: {
      brand: 'Tinnock',
      type: 'grater',
      material: 'stainless steel',
      lengthCm: 33,
      dishwasherSafe: true,
      weightG: 120,
      colours: ['black', 'lime'],
    },
  },
  {
    sku: 'KIT-0025',
    name: 'Linen Tea Towels, Set of Three',
    description:
      'Half-bleached linen that polishes glasses without leaving lint. New ones are a little stiff and ' +
      'improve with every wash at 60 °C. Each has a loop in the middle of the long side, where a hook ' +
      'needs it.',
    priceCents: 2690,
    stock: 74,
    attributes: {
      brand: 'Oxtable',
      type: 'tea towel',
      material: 'linen',
      lengthCm: 70,
      widthCm: 50,
      pieceCount: 3,
      weightG: 330,
      colours: ['ecru and blue', 'ecru and red'],
    },
  },
  {
    sku: 'KIT-0026',
    name: 'Clip-Top Preserving Jars, 0.5 l, Six',
    description:
      'Straight-walled jars with a wide mouth, easy to fill with pickled beetroot or jalapeños and easy ' +
      'to empty to the last spoonful. The wire clip and the red rubber ring can both be replaced. ' +
      'Sterilise at 100 °C.',
    priceCents: 2280,
    stock: 66,
    attributes: {
      brand: 'Brodelle',
      type: 'food storage',
      material: 'glass',
      capacityL: 0.5,
      pieceCount: 6,
      dishwasherSafe: true,
      weightG: 2900,
    },
  },
  {
    sku: 'KIT-0027',
    name: 'Tinnock Rice Cooker, 1 l',
    description:
      'Cooks two to six portions and then keeps them warm without drying out the edges. Sushi rice, ' +
      'basmati and brown rice each have their own programme; porridge works too. A steaming tray sits on ' +
      'top for vegetables.',
    priceCents: 5799,
    stock: 32,
    attributes: {
      brand: 'Tinnock',
      type: 'rice cooker',
      powerW: 400,
      capacityL: 1,
      material: 'ceramic-coated aluminium',
      dishwasherSafe: true,
      weightG: 2100,
      colours: ['white'],
    },
  },
  {
    sku: 'KIT-0028',
    name: 'Long-Handled Tin Opener',
    description:
      'Cuts round the side instead of the lid, so there is no sharp edge and the lid can be put back on. ' +
      'The handles are long and the knob is large, which helps weak or arthritic hands. Made for ' +
      'right-handers only, we are sorry to say.',
    priceCents: 1340,
    stock: 0,
    attributes: {
      brand: 'Tinnock',
      type: 'utensil',
      material: 'stainless steel',
      lengthCm: 21,
      dishwasherSafe: true,
      weightG: 205,
    },
  },
  {
    sku: 'KIT-0029',
    name: 'Whetstone 1000/3000 with Base',
    description:
      'The coarse side brings a dull edge back, the fine side makes it pleasant. Soak it for ten minutes ' +
      'before use. A clip-on guide holds the angle for beginners; after five or six knives you will not ' +
      'need it.',
    priceCents: 4750,
    stock: 25,
    attributes: {
      brand: 'Smedholt',
      type: 'sharpener',
      material: 'aluminium oxide',
      lengthCm: 18.5,
      widthCm: 6.5,
      weightG: 980,
    },
  },
  {
    sku: 'KIT-0030',
    name: 'Brodelle Baking Steel, 40 × 34 cm',
    description:
      'Six millimetres of steel store enough heat to bake a pizza in five minutes in a household oven. ' +
      'Give it 45 minutes at full temperature first. Rub it with oil after use, like a cast-iron pan, and ' +
      'lift it with both hands.',
    priceCents: 6900,
    stock: 1,
    attributes: {
      brand: 'Brodelle',
      type: 'baking',
      material: 'raw steel',
      lengthCm: 40,
      widthCm: 34,
      thicknessMm: 6,
      ovenSafeToC: 400,
      dishwasherSafe: false,
      weightG: 6400,
    },
  },
]
