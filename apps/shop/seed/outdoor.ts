/**
 * Tents, packs, clothing and camp cookware.
 * `weightG` of clothing is that of size M.
 *
 * @module
 */
import type { ProductEntry } from './product.ts'

/** The thirty products of this category. */
export const outdoor: readonly ProductEntry[] = [
  {
    sku: 'OUT-0001',
    name: 'Harrowfell Ridge 2 Tent',
    description:
      'Two doors and two porches, so nobody climbs over anybody at night. Inner and outer go up together, ' +
      'which keeps the inside dry when you pitch in rain. One of us is 1.92 m and fits, with boots ' +
      'outside.',
    priceCents: 34900,
    stock: 22,
    attributes: {
      brand: 'Harrowfell',
      type: 'tent',
      persons: 2,
      hydrostaticHeadMm: 3000,
      seasons: 3,
      packedSize: '46 × 15 cm',
      weightG: 2150,
      colours: ['bracken', 'storm grey'],
    },
  },
  {
    sku: 'OUT-0002',
    name: 'Harrowfell Frostline Down Sleeping Bag',
    description:
      'For cool summers in the mountains and mild nights from March to October. The comfort figure is the ' +
      'tested one for someone who feels the cold, not the survival limit printed on cheaper bags. Store ' +
      'it loose in the cotton sack, never compressed.',
    priceCents: 28900,
    stock: 15,
    attributes: {
      brand: 'Harrowfell',
      type: 'sleeping bag',
      comfortC: -2,
      fill: 'duck down',
      fillPower: 700,
      lengthCm: 215,
      packedSize: '30 × 17 cm',
      weightG: 980,
      colours: ['rust'],
    },
  },
  {
    sku: 'OUT-0003',
    name: 'Harrowfell Airbed Sleeping Mat',
    description:
      'Eight centimetres of air in crosswise chambers, enough for people who sleep on their side. The ' +
      'pump sack doubles as a dry bag. It is quieter than most, though you will still hear a turn at ' +
      'three in the morning.',
    priceCents: 9900,
    stock: 48,
    attributes: {
      brand: 'Harrowfell',
      type: 'sleeping mat',
      rValue: 3.4,
      thicknessCm: 8,
      lengthCm: 183,
      packedSize: '23 × 10 cm',
      weightG: 490,
      colours: ['moss', 'ochre'],
    },
  },
  {
    sku: 'OUT-0004',
    name: 'Torrbeck Gable 45 Rucksack',
    description:
      'A pack for a long weekend with a tent, or a week from hut to hut. The back length adjusts over 12 ' +
      'cm without taking anything apart. Hip-belt pockets are big enough for a phone and half a sandwich.',
    priceCents: 16900,
    stock: 19,
    attributes: {
      brand: 'Torrbeck',
      type: 'rucksack',
      capacityL: 45,
      material: 'recycled 210D nylon',
      sizes: ['S/M', 'M/L'],
      raincoverIncluded: true,
      weightG: 1490,
      colours: ['slate', 'pine'],
    },
  },
  {
    sku: 'OUT-0005',
    name: 'Torrbeck Daypack, 22 l',
    description:
      "Opens wide like a doctor's bag, so you can see what is at the bottom. A flat sleeve against the " +
      'back takes a 14-inch laptop on weekdays and a water bladder on Sundays. The fabric sheds a shower ' +
      'but not an afternoon of rain.',
    priceCents: 7495,
    stock: 91,
    attributes: {
      brand: 'Torrbeck',
      type: 'rucksack',
      capacityL: 22,
      material: 'recycled 210D nylon',
      raincoverIncluded: false,
      weightG: 610,
      colours: ['navy', 'clay', 'fern'],
    },
  },
  {
    sku: 'OUT-0006',
    name: 'Torrbeck Sleet Waterproof Jacket',
    description:
      'A raincoat for people who stay out. Long pit zips let the steam escape, the hood turns with your ' +
      'head, and the stiff peak keeps drops off spectacles. Wash it twice a season; a dirty membrane ' +
      'breathes badly.',
    priceCents: 21900,
    stock: 26,
    attributes: {
      brand: 'Torrbeck',
      type: 'waterproof jacket',
      hydrostaticHeadMm: 20000,
      material: 'three-layer polyamide',
      sizes: ['XS', 'S', 'M', 'L', 'XL', 'XXL'],
      weightG: 395,
      colours: ['deep teal', 'black', 'marigold'],
    },
  },
  {
    sku: 'OUT-0007',
    name: 'Merino Base Layer, Long Sleeve',
    description:
      'Worn next to the skin, it stays warm when damp and can be worn for days before anyone complains. ' +
      'Fine wool of 18.5 micron does not itch. Shoulder seams sit forward so a rucksack strap does not ' +
      'rub.',
    priceCents: 7900,
    stock: 67,
    attributes: {
      brand: 'Torrbeck',
      type: 'base layer',
      material: 'merino wool',
      fabricGsm: 170,
      sizes: ['XS', 'S', 'M', 'L', 'XL'],
      weightG: 195,
      colours: ['charcoal', 'berry', 'ink'],
    },
  },
  {
    sku: 'OUT-0008',
    name: 'Skarnholm Trivet Gas Stove',
    description:
      'Screws on to standard gas cartridges and boils a litre in about three and a half minutes when the ' +
      'air is still. Three serrated arms hold pots up to 20 cm. The flame goes down to a real simmer, so ' +
      'porridge does not have to burn.',
    priceCents: 4950,
    stock: 53,
    attributes: {
      brand: 'Skarnholm',
      type: 'stove',
      powerW: 2800,
      boilMinutes: 3.5,
      material: 'steel and titanium',
      weightG: 112,
    },
  },
  {
    sku: 'OUT-0009',
    name: 'Skarnholm Titanium Pot, 750 ml',
    description:
      'One pot for one person: tea, noodles, shaving. A 100 g gas cartridge and a small stove fit inside ' +
      'it. Titanium heats in one spot and burns thick food, so keep stirring.',
    priceCents: 5490,
    stock: 34,
    attributes: {
      brand: 'Skarnholm',
      type: 'cookware',
      capacityL: 0.75,
      material: 'titanium',
      diameterCm: 10,
      weightG: 104,
    },
  },
  {
    sku: 'OUT-0010',
    name: 'Skarnholm Vacuum Flask, 1 l',
    description:
      'Soup at noon from a pot you filled at six. After 24 hours at 5 °C the contents are still around 58 ' +
      '°C. Two cups on top, and a stopper that pours when half unscrewed.',
    priceCents: 3690,
    stock: 84,
    attributes: {
      brand: 'Skarnholm',
      type: 'vacuum flask',
      capacityL: 1,
      material: 'stainless steel',
      keepsHotHours: 24,
      heightCm: 31,
      weightG: 545,
      colours: ['hammered green', 'steel', 'cream'],
    },
  },
  {
    sku: 'OUT-0011',
    name: 'Cragmoss Beacon 400 Head Torch',
    description:
      'The button can be found with gloves on, and holding it dims the light smoothly instead of stepping ' +
      'through five modes. Red light for the hut at night. Takes its own USB-C battery or three AAA cells ' +
      'when you are far from a socket.',
    priceCents: 5299,
    stock: 78,
    attributes: {
      brand: 'Cragmoss',
      type: 'head torch',
      lumens: 400,
      batteryHours: 7,
      waterRating: 'IPX6',
      rechargeable: true,
      weightG: 88,
      colours: ['black', 'orange'],
    },
  },
  {
    sku: 'OUT-0012',
    name: 'Folding Trekking Poles, Pair',
    description:
      'Three sections on a cord snap together in a second and fold short enough for hand luggage. Cork ' +
      'grips with a long foam sleeve below, for traversing a slope without changing the length. Rubber ' +
      'tips and snow baskets included.',
    priceCents: 8450,
    stock: 29,
    attributes: {
      brand: 'Cragmoss',
      type: 'trekking poles',
      material: 'aluminium',
      lengthMinCm: 105,
      lengthMaxCm: 130,
      packedSize: '36 × 8 cm',
      weightG: 498,
      colours: ['grey'],
    },
  },
  {
    sku: 'OUT-0013',
    name: 'Cragmoss Trail Umbrella',
    description:
      'On a windless path in warm rain nothing beats an umbrella, since you stay dry without stewing in a ' +
      'jacket. Fibreglass ribs bend instead of snapping. The silver one keeps off the midday sun as well, ' +
      'and clips to a rucksack strap.',
    priceCents: 3950,
    stock: 40,
    attributes: {
      brand: 'Cragmoss',
      type: 'umbrella',
      material: 'silicone-coated polyester',
      diameterCm: 98,
      lengthCm: 63,
      weightG: 232,
      colours: ['silver', 'navy'],
    },
  },
  {
    sku: 'OUT-0014',
    name: 'Harrowfell Tarp, 3 × 3 m',
    description:
      'Sixteen reinforced loops and one square of cloth make a lean-to, a pyramid or a roof over the ' +
      'picnic table. Eight guy lines with tensioners come with it. Practise two set-ups at home before ' +
      'you need one in the dark.',
    priceCents: 8900,
    stock: 24,
    attributes: {
      brand: 'Harrowfell',
      type: 'tarp',
      hydrostaticHeadMm: 2000,
      material: 'silicone-coated 20D nylon',
      lengthCm: 300,
      widthCm: 300,
      packedSize: '22 × 11 cm',
      weightG: 520,
      colours: ['forest'],
    },
  },
  {
    sku: 'OUT-0015',
    name: 'Cragmoss Hammock with Tree Straps',
    description:
      'Lie across it at a slant and your back is nearly flat. The straps are 2.5 cm wide and spare the ' +
      'bark, with ten loops each so that any two trees will do. Beware of the person who says they will ' +
      'only try it for a minute.',
    priceCents: 5900,
    stock: 36,
    attributes: {
      brand: 'Cragmoss',
      type: 'hammock',
      material: '70D nylon',
      lengthCm: 290,
      widthCm: 145,
      loadMaxKg: 180,
      weightG: 640,
      colours: ['indigo', 'sunflower'],
    },
  },
  {
    sku: 'OUT-0016',
    name: 'Skarnholm Squeeze Water Filter',
    description:
      'Hollow fibres that hold back bacteria and protozoa from streams and lakes. It does nothing against ' +
      'viruses, chemicals or salt. Flush it after every trip and do not let it freeze: ice breaks the ' +
      'fibres without any visible sign.',
    priceCents: 4390,
    stock: 61,
    attributes: {
      brand: 'Skarnholm',
      type: 'water filter',
      poreMicron: 0.1,
      flowLPerMin: 1.4,
      lifetimeL: 2000,
      capacityL: 1,
      weightG: 86,
    },
  },
  {
    sku: 'OUT-0017',
    name: 'Roll-Up Water Bottle, 1.5 l',
    description:
      'Stands on its own when full and rolls to the size of a fist when empty. The opening is wide enough ' +
      'for ice cubes and a bottle brush. The first filling tastes of plastic, the second hardly, the ' +
      'third no longer.',
    priceCents: 1870,
    stock: 108,
    attributes: {
      brand: 'Skarnholm',
      type: 'water bottle',
      capacityL: 1.5,
      material: 'thermoplastic polyurethane',
      dishwasherSafe: false,
      weightG: 62,
      colours: ['clear blue', 'clear grey'],
    },
  },
  {
    sku: 'OUT-0018',
    name: 'Harrowfell Dry Bags, Set of Three',
    description:
      'Four, seven and thirteen litres, in three colours so that you know which one holds the socks. Roll ' +
      'the top three times before closing it. Good against rain and a quick dunking, but not made for ' +
      'towing behind a canoe.',
    priceCents: 3290,
    stock: 70,
    attributes: {
      brand: 'Harrowfell',
      type: 'dry bag',
      capacityL: 24,
      pieceCount: 3,
      material: '30D nylon',
      hydrostaticHeadMm: 2000,
      weightG: 118,
      colours: ['mixed brights'],
    },
  },
  {
    sku: 'OUT-0019',
    name: 'Cragmoss Baseplate Compass',
    description:
      'Clear base with scales for 1:25,000 and 1:50,000 maps, a magnifier, and a needle that settles in ' +
      'two seconds. The correction for magnetic declination is set once with the little key on the ' +
      'lanyard. Needs no battery and no signal.',
    priceCents: 2725,
    stock: 44,
    attributes: {
      brand: 'Cragmoss',
      type: 'compass',
      material: 'acrylic',
      declinationAdjustable: true,
      lengthCm: 12,
      weightG: 42,
    },
  },
  {
    sku: 'OUT-0020',
    name: "Walker's First-Aid Kit",
    description:
      'Put together with a mountain rescue doctor: blister dressings, a proper bandage, a tick remover, a ' +
      'foil blanket and scissors that cut denim. Every pocket is labelled so a stranger can help you. No ' +
      'medicines included; add your own.',
    priceCents: 2985,
    stock: 82,
    attributes: {
      brand: 'Cragmoss',
      type: 'first-aid kit',
      pieceCount: 46,
      packedSize: '17 × 11 cm',
      weightG: 290,
      colours: ['red'],
    },
  },
  {
    sku: 'OUT-0021',
    name: 'Torrbeck Walking Socks, Two Pairs',
    description:
      'Cushioned under the heel and ball, thin over the instep, and shaped for left and right. The toe is ' +
      'linked by hand, leaving no seam to rub. Wash at 30 °C; the dryer shortens their life.',
    priceCents: 2480,
    stock: 143,
    attributes: {
      brand: 'Torrbeck',
      type: 'socks',
      material: 'merino wool and polyamide',
      pieceCount: 4,
      sizes: ['35–38', '39–42', '43–46'],
      weightG: 140,
      colours: ['grey and rust', 'grey and teal'],
    },
  },
  {
    sku: 'OUT-0022',
    name: 'Torrbeck Bog Gaiters',
    description:
      'Mud, snow, scree and wet bracken stay out of your boots. The front closes with wide hook-and-loop ' +
      'tape that still holds when it is full of dirt. A replaceable cord goes under the sole, as that is ' +
      'the part that wears.',
    priceCents: 3990,
    stock: 0,
    attributes: {
      brand: 'Torrbeck',
      type: 'gaiters',
      material: '500D nylon',
      hydrostaticHeadMm: 10000,
      sizes: ['S', 'M', 'L'],
      weightG: 240,
      colours: ['black'],
    },
  },
  {
    sku: 'OUT-0023',
    name: 'Torrbeck Ember Down Jacket',
    description:
      'Warm for its weight, with narrow chambers that do not let the down slide about. It stuffs into its ' +
      'own left pocket and makes a passable pillow. Down collapses when soaked, so wear a shell over it ' +
      'in proper rain.',
    priceCents: 18900,
    stock: 31,
    attributes: {
      brand: 'Torrbeck',
      type: 'insulated jacket',
      fill: 'goose down',
      fillPower: 750,
      material: 'recycled 20D nylon',
      sizes: ['XS', 'S', 'M', 'L', 'XL'],
      weightG: 340,
      colours: ['midnight', 'paprika', 'lichen'],
    },
  },
  {
    sku: 'OUT-0024',
    name: 'Boiled-Wool Beanie',
    description:
      'Felted until the wind no longer finds a way through, and lined with cotton at the forehead. Low ' +
      'enough to cover the ears. It fits under a hood and, without the turn-up, under a helmet.',
    priceCents: 2950,
    stock: 59,
    attributes: {
      brand: 'Torrbeck',
      type: 'hat',
      material: 'boiled wool',
      sizes: ['M', 'L'],
      weightG: 68,
      colours: ['natural grey', 'loden', 'brick'],
    },
  },
  {
    sku: 'OUT-0025',
    name: 'Harrowfell Low Camp Chair',
    description:
      'A sling seat on a frame that sorts itself out when you shake the poles. On sand the feet sink in; ' +
      'the ground sheet sold with it helps. Sitting down is easy, getting up from 26 cm takes a decision.',
    priceCents: 8250,
    stock: 28,
    attributes: {
      brand: 'Harrowfell',
      type: 'camping chair',
      material: 'aluminium and polyester mesh',
      loadMaxKg: 130,
      seatHeightCm: 26,
      packedSize: '37 × 11 cm',
      weightG: 930,
      colours: ['ink', 'wheat'],
    },
  },
  {
    sku: 'OUT-0026',
    name: 'Waxed Picnic Blanket, 140 × 180 cm',
    description:
      'Wool above, waxed cotton below, and damp grass stays where it belongs. It rolls into its own ' +
      'leather strap. Brush off the crumbs and air it; a washing machine would take the wax off.',
    priceCents: 6400,
    stock: 33,
    attributes: {
      brand: 'Harrowfell',
      type: 'picnic blanket',
      material: 'wool and waxed cotton',
      lengthCm: 180,
      widthCm: 140,
      weightG: 1650,
      colours: ['heather check', 'blue check'],
    },
  },
  {
    sku: 'OUT-0027',
    name: 'Ferro Rod with Scraper',
    description:
      'Sparks at 3,000 °C whether it is wet, cold or windy. Scrape slowly and hard, aiming at birch bark ' +
      'or a pinch of cotton. The black coating must come off with the first few strokes before it works.',
    priceCents: 1465,
    stock: 118,
    attributes: {
      brand: 'Skarnholm',
      type: 'fire starter',
      material: 'ferrocerium and birch',
      lengthCm: 9.5,
      strikes: 9000,
      weightG: 48,
    },
  },
  {
    sku: 'OUT-0028',
    name: 'Cragmoss Storm Lantern LED',
    description:
      'Looks like an oil lamp and behaves like a good electric one, from candle glow to reading light on ' +
      'a dial. Sixty hours at the lowest setting, five at full. It can charge a phone in an emergency, ' +
      'though then evenings become short.',
    priceCents: 4590,
    stock: 50,
    attributes: {
      brand: 'Cragmoss',
      type: 'lantern',
      lumens: 320,
      batteryHours: 60,
      waterRating: 'IP54',
      rechargeable: true,
      heightCm: 19,
      weightG: 410,
      colours: ['brass', 'black'],
    },
  },
  {
    sku: 'OUT-0029',
    name: 'Cragmoss Heron 8 × 32 Binoculars',
    description:
      'Eight times is as much as most hands hold steady, and 32 mm is a fair compromise between light and ' +
      'weight. They focus down to 1.8 m, so butterflies and dragonflies count too. Works with spectacles: ' +
      'turn the eyecups in.',
    priceCents: 19900,
    stock: 10,
    attributes: {
      brand: 'Cragmoss',
      type: 'binoculars',
      magnification: 8,
      objectiveMm: 32,
      fieldOfViewM: 136,
      waterRating: 'IPX7',
      weightG: 515,
      colours: ['green'],
    },
  },
  {
    sku: 'OUT-0030',
    name: 'Zip-Pull Thermometer',
    description:
      'Hangs from a jacket or rucksack zip and settles arguments about how cold it really is. A ' +
      'wind-chill table is printed on the back in very small type. Keep it away from your body heat for ' +
      'two minutes before reading.',
    priceCents: 795,
    stock: 187,
    attributes: {
      brand: 'Cragmoss',
      type: 'thermometer',
      rangeMinC: -30,
      rangeMaxC: 50,
      material: 'zinc alloy',
      lengthCm: 4.2,
      weightG: 12,
      colours: ['black', 'steel'],
    },
  },
]
