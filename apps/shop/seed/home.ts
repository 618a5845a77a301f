/**
 * Lamps, textiles, furniture and household goods.
 * `washC` is the hottest wash a textile bears.
 *
 * @module
 */
import type { ProductEntry } from './product.ts'

/** The thirty products of this category. */
export const home: readonly ProductEntry[] = [
  {
    sku: 'HOM-0001',
    name: 'Lumsted Hinge Desk Lamp',
    description:
      'Two arms, three joints and a counterweight: push it with one finger and it stays where you leave ' +
      'it. The light is warm and the shade deep enough that it does not dazzle the person opposite. The ' +
      'LED board can be replaced with a screwdriver.',
    priceCents: 11900,
    stock: 37,
    attributes: {
      brand: 'Lumsted',
      type: 'desk lamp',
      powerW: 9,
      lumens: 720,
      colourTemperatureK: 2700,
      dimmable: true,
      material: 'steel and beech',
      heightCm: 52,
      colours: ['signal red', 'putty', 'black'],
    },
  },
  {
    sku: 'HOM-0002',
    name: 'Lumsted Heron Floor Lamp',
    description:
      'A slim oak stem leans over the armchair while the cast foot stays behind it. The linen shade gives ' +
      'a soft light downwards and a little upwards. Bulb not included; a foot switch spares you the ' +
      'search for a cord.',
    priceCents: 18900,
    stock: 11,
    attributes: {
      brand: 'Lumsted',
      type: 'floor lamp',
      socket: 'E27',
      powerMaxW: 60,
      material: 'oak and linen',
      heightCm: 158,
      weightG: 5200,
      colours: ['natural', 'smoked'],
    },
  },
  {
    sku: 'HOM-0003',
    name: 'LED Bulb E27, Opal, 8 W',
    description:
      'As bright as an old 60 W bulb, in the same warm tone. It dims down to about 5 % without buzzing on ' +
      'the dimmers we tried. Skin and wood keep their colour, with a rendering index of 95.',
    priceCents: 849,
    stock: 240,
    attributes: {
      brand: 'Lumsted',
      type: 'light bulb',
      socket: 'E27',
      powerW: 8,
      lumens: 806,
      colourTemperatureK: 2700,
      dimmable: true,
      lifetimeHours: 25000,
      weightG: 62,
    },
  },
  {
    sku: 'HOM-0004',
    name: 'Wovenmere Lambswool Throw',
    description:
      'Woven in a herringbone and brushed lightly, so it is soft without shedding all over the sofa. Big ' +
      'enough for one and a half people. Air it overnight and it will seldom need the wool programme.',
    priceCents: 8900,
    stock: 29,
    attributes: {
      brand: 'Wovenmere',
      type: 'throw',
      material: 'lambswool',
      lengthCm: 190,
      widthCm: 140,
      washC: 30,
      weightG: 820,
      colours: ['heather', 'oatmeal', 'moss check', 'brick'],
    },
  },
  {
    sku: 'HOM-0005',
    name: 'Washed Linen Duvet Cover, 135 × 200 cm',
    description:
      'Flax from Normandy, washed before sewing so it neither shrinks nor feels stiff. Cool in summer and ' +
      'dry in winter. It creases, and looks right that way; the buttons are shell and sewn with a shank.',
    priceCents: 11400,
    stock: 34,
    attributes: {
      brand: 'Wovenmere',
      type: 'bed linen',
      material: 'linen',
      lengthCm: 200,
      widthCm: 135,
      washC: 60,
      fabricGsm: 165,
      weightG: 1080,
      colours: ['chalk', 'clay', 'dusk blue'],
    },
  },
  {
    sku: 'HOM-0006',
    name: 'Wovenmere Wool-Filled Pillow',
    description:
      'Little balls of wool that let air through and do not clump together. Open the zip and take some ' +
      'out if it is too high for you; the bag for the spare filling is enclosed. Smells faintly of sheep ' +
      'for the first week.',
    priceCents: 4900,
    stock: 48,
    attributes: {
      brand: 'Wovenmere',
      type: 'pillow',
      material: "cotton and sheep's wool",
      lengthCm: 80,
      widthCm: 40,
      washC: 30,
      weightG: 900,
    },
  },
  {
    sku: 'HOM-0007',
    name: 'Waffle Bath Towels, Pair',
    description:
      'Deep squares that soak up more than they seem able to and are dry again by evening. They shrink by ' +
      'about 5 % in the first wash, which the measurements allow for. A hanging loop on both short ends.',
    priceCents: 5200,
    stock: 53,
    attributes: {
      brand: 'Wovenmere',
      type: 'towel',
      material: 'cotton',
      lengthCm: 140,
      widthCm: 70,
      washC: 60,
      pieceCount: 2,
      fabricGsm: 260,
      weightG: 510,
      colours: ['white', 'celadon', 'ochre'],
    },
  },
  {
    sku: 'HOM-0008',
    name: 'Ribbed Cotton Bath Mat',
    description:
      'Thick, heavy and flat at the edges, so the door passes over it. No rubber backing that crumbles in ' +
      'the wash; on smooth tiles lay a grip net underneath. Can be tumble-dried.',
    priceCents: 2440,
    stock: 58,
    attributes: {
      brand: 'Wovenmere',
      type: 'bath mat',
      material: 'cotton',
      lengthCm: 80,
      widthCm: 50,
      washC: 60,
      fabricGsm: 900,
      weightG: 380,
      colours: ['white', 'slate', 'sand'],
    },
  },
  {
    sku: 'HOM-0009',
    name: 'Coir Doormat with Rubber Edge',
    description:
      'Stiff bristles that pull the mud out of a walking boot. The rubber edge keeps it flat and where ' +
      'you put it. It sheds for the first two weeks; shake it outdoors and be patient.',
    priceCents: 2990,
    stock: 45,
    attributes: {
      brand: 'Klarby',
      type: 'doormat',
      material: 'coconut fibre',
      lengthCm: 70,
      widthCm: 45,
      thicknessMm: 24,
      weightG: 2900,
      colours: ['natural', 'natural and black'],
    },
  },
  {
    sku: 'HOM-0010',
    name: 'Klarby Peg Rail, Five Hooks',
    description:
      'Turned pegs at a slight upward angle, so loops and hoods stay on. Two screws and wall plugs are ' +
      'included, hidden afterwards by wooden caps. On plasterboard, find a stud or use the proper ' +
      'anchors.',
    priceCents: 3650,
    stock: 40,
    attributes: {
      brand: 'Klarby',
      type: 'coat rack',
      material: 'ash',
      lengthCm: 75,
      hooks: 5,
      loadMaxKg: 20,
      weightG: 950,
      colours: ['natural', 'white', 'black'],
    },
  },
  {
    sku: 'HOM-0011',
    name: 'Klarby Five-Shelf Bookcase',
    description:
      'Shelves 22 mm thick that take 30 kg each and do not bow under dictionaries. Four of the five can ' +
      'be moved in steps of 3 cm. It must be fixed to the wall, and the bracket for that is in the box.',
    priceCents: 24900,
    stock: 6,
    attributes: {
      brand: 'Klarby',
      type: 'bookshelf',
      material: 'solid pine',
      heightCm: 190,
      widthCm: 80,
      depthCm: 28,
      shelves: 5,
      loadMaxKg: 150,
      weightG: 28500,
      colours: ['oiled', 'white'],
    },
  },
  {
    sku: 'HOM-0012',
    name: 'Seagrass Storage Basket, Large',
    description:
      'Woven over a wire frame, so it keeps its shape empty or full of blankets. Two handles long enough ' +
      'to carry it on one arm. The meadow smell fades after a month or so.',
    priceCents: 3450,
    stock: 32,
    attributes: {
      brand: 'Klarby',
      type: 'basket',
      material: 'seagrass',
      diameterCm: 40,
      heightCm: 36,
      weightG: 1250,
      colours: ['natural', 'black rim'],
    },
  },
  {
    sku: 'HOM-0013',
    name: 'Klarby Station Wall Clock, 30 cm',
    description:
      'Clear numerals, broad hands and a second hand that glides without ticking. Glass in front, where ' +
      'cheaper ones have plastic. One AA cell lasts about a year and a half.',
    priceCents: 5900,
    stock: 26,
    attributes: {
      brand: 'Klarby',
      type: 'wall clock',
      material: 'aluminium and glass',
      diameterCm: 30,
      silent: true,
      weightG: 890,
      colours: ['white', 'black'],
    },
  },
  {
    sku: 'HOM-0014',
    name: 'Round Mirror with Shelf, 50 cm',
    description:
      'The rim widens at the bottom into a shelf for keys, earrings and the letter you must not forget. ' +
      'Silvered on the back without copper or lead, and fit for bathrooms. Hangs on a single screw.',
    priceCents: 7950,
    stock: 15,
    attributes: {
      brand: 'Klarby',
      type: 'mirror',
      material: 'glass and oak',
      diameterCm: 50,
      depthCm: 11,
      weightG: 4700,
      colours: ['oak', 'walnut'],
    },
  },
  {
    sku: 'HOM-0015',
    name: 'Tall Stoneware Vase',
    description:
      'Thrown on the wheel, so no two are quite alike. The neck is narrow enough to hold three stems ' +
      'upright and wide enough for a bunch of tulips. Glazed inside and watertight; the foot is ground ' +
      'smooth.',
    priceCents: 4750,
    stock: 18,
    attributes: {
      brand: 'Hearthby',
      type: 'vase',
      material: 'stoneware',
      heightCm: 28,
      diameterCm: 12,
      dishwasherSafe: true,
      weightG: 1350,
      colours: ['tenmoku', 'ash white'],
    },
  },
  {
    sku: 'HOM-0016',
    name: 'Dinner Candles, Pure Beeswax, Six',
    description:
      'Dipped, not moulded, in a small workshop in the hills. They burn slowly with a steady flame and ' +
      'smell of honey only when you lean in. Out of a draught they do not drip.',
    priceCents: 2870,
    stock: 64,
    attributes: {
      brand: 'Hearthby',
      type: 'candles',
      material: 'beeswax',
      heightCm: 25,
      diameterMm: 22,
      burnHours: 9,
      pieceCount: 6,
      weightG: 510,
      colours: ['natural yellow'],
    },
  },
  {
    sku: 'HOM-0017',
    name: 'Hearthby Fig Leaf Soy Candle',
    description:
      'Green, slightly bitter and not sweet, as if someone had broken a twig. Let the whole surface melt ' +
      'the first time, or it will tunnel ever after. The empty glass makes a good tumbler once washed.',
    priceCents: 2600,
    stock: 71,
    attributes: {
      brand: 'Hearthby',
      type: 'candles',
      material: 'soy wax',
      burnHours: 45,
      diameterMm: 80,
      scent: 'fig leaf',
      weightG: 430,
      colours: ['smoked glass'],
    },
  },
  {
    sku: 'HOM-0018',
    name: 'Long-Spout Watering Can, 1.5 l',
    description:
      'Reaches between the leaves and waters the soil, not the windowsill. It holds exactly as much as ' +
      'six thirsty pots in July. Empty it after use, because standing water is hard on any steel.',
    priceCents: 3290,
    stock: 39,
    attributes: {
      brand: 'Hearthby',
      type: 'watering can',
      capacityL: 1.5,
      material: 'powder-coated steel',
      heightCm: 27,
      weightG: 620,
      colours: ['sage', 'rust', 'cream'],
    },
  },
  {
    sku: 'HOM-0019',
    name: 'Self-Watering Plant Pot, 19 cm',
    description:
      'A tank in the base feeds the roots through a wick for two to three weeks, depending on plant and ' +
      'weather. The little float shows when to refill. Not for cacti, which prefer to be forgotten.',
    priceCents: 2165,
    stock: 76,
    attributes: {
      brand: 'Hearthby',
      type: 'plant pot',
      material: 'recycled polypropylene',
      diameterCm: 19,
      heightCm: 17,
      capacityL: 2.6,
      weightG: 390,
      colours: ['graphite', 'chalk', 'terracotta'],
    },
  },
  {
    sku: 'HOM-0020',
    name: 'Klarby Umbrella Stand',
    description:
      "A tube of bent wire with a removable tray that catches a whole wet family's drips. It holds about " +
      'eight long umbrellas or a dozen short ones. The foot is weighted so that a single umbrella on one ' +
      'side does not tip it.',
    priceCents: 6450,
    stock: 12,
    attributes: {
      brand: 'Klarby',
      type: 'umbrella stand',
      material: 'powder-coated steel',
      heightCm: 50,
      diameterCm: 24,
      weightG: 2800,
      colours: ['black', 'mustard', 'white'],
    },
  },
  {
    sku: 'HOM-0021',
    name: 'Klarby Folding Step Stool',
    description:
      'Two steps up to the top cupboard, a seat when guests come and 6 cm flat behind the door. The hinge ' +
      'locks with a click you can hear. Non-slip strips on both treads.',
    priceCents: 5490,
    stock: 22,
    attributes: {
      brand: 'Klarby',
      type: 'step stool',
      material: 'beech',
      heightCm: 47,
      widthCm: 42,
      loadMaxKg: 150,
      steps: 2,
      weightG: 3900,
      colours: ['natural', 'black'],
    },
  },
  {
    sku: 'HOM-0022',
    name: 'Wall-Mounted Clothes Airer',
    description:
      'Eight beech rods fold out over the bath and back to 9 cm deep. Wood does not mark wet wool as wire ' +
      'does. The brackets need a wall that holds screws.',
    priceCents: 6900,
    stock: 30,
    attributes: {
      brand: 'Klarby',
      type: 'clothes airer',
      material: 'beech and steel',
      widthCm: 70,
      dryingLengthM: 5.6,
      loadMaxKg: 15,
      weightG: 2600,
      colours: ['white frame', 'black frame'],
    },
  },
  {
    sku: 'HOM-0023',
    name: 'Linen-Look Blackout Curtain, 140 × 250 cm',
    description:
      'A tight weave with a dark core thread keeps a bedroom properly dark in June. Hooks, rod pocket and ' +
      'hidden tabs are all sewn in, so it suits any rail. Sold singly; most windows need two.',
    priceCents: 5950,
    stock: 28,
    attributes: {
      brand: 'Wovenmere',
      type: 'curtain',
      material: 'polyester',
      lengthCm: 250,
      widthCm: 140,
      washC: 40,
      blackout: true,
      weightG: 1700,
      colours: ['stone', 'night', 'moss'],
    },
  },
  {
    sku: 'HOM-0024',
    name: 'Horsehair Dustpan and Brush',
    description:
      'The steel lip sits flush with the floor, so no line of dust remains. Horsehair gathers fine dirt ' +
      'that plastic bristles merely push about. Both hang from one leather loop.',
    priceCents: 2725,
    stock: 50,
    attributes: {
      brand: 'Hearthby',
      type: 'cleaning',
      material: 'steel, beech and horsehair',
      widthCm: 23,
      weightG: 510,
      colours: ['black', 'cream'],
    },
  },
  {
    sku: 'HOM-0025',
    name: 'Hearthby Room Thermometer and Hygrometer',
    description:
      'Temperature in large figures, humidity below, and a face that frowns under 35 % and over 65 %. ' +
      'Useful for keeping mould away and guitars in tune. It reads every ten seconds and runs for a year ' +
      'on one button cell.',
    priceCents: 2375,
    stock: 85,
    attributes: {
      brand: 'Hearthby',
      type: 'thermometer',
      rangeMinC: -10,
      rangeMaxC: 50,
      displayInch: 2.8,
      accuracyC: 0.3,
      weightG: 95,
      colours: ['white', 'green'],
    },
  },
  {
    sku: 'HOM-0026',
    name: 'Knitted Hot-Water Bottle, 1.8 l',
    description:
      'Natural rubber in a thick cable-knit jumper with a roll neck. Fill it two thirds full, press the ' +
      'air out and never use boiling water. Still lukewarm in the morning, and so are your feet.',
    priceCents: 2990,
    stock: 90,
    attributes: {
      brand: 'Wovenmere',
      type: 'hot-water bottle',
      capacityL: 1.8,
      material: 'natural rubber and wool',
      washC: 30,
      weightG: 560,
      colours: ['oat cable', 'navy cable', 'berry'],
    },
  },
  {
    sku: 'HOM-0027',
    name: 'Oak Picture Frame, 30 × 40 cm',
    description:
      'Slender profile, real glass and an acid-free mount cut for a 20 × 30 cm print. It hangs upright or ' +
      'across, and opens with turn buttons instead of bent nails. Without the mount a 30 × 40 poster fits ' +
      'exactly.',
    priceCents: 3150,
    stock: 47,
    attributes: {
      brand: 'Klarby',
      type: 'picture frame',
      material: 'oak',
      lengthCm: 40,
      widthCm: 30,
      depthCm: 2.5,
      weightG: 1050,
      colours: ['natural', 'black stained'],
    },
  },
  {
    sku: 'HOM-0028',
    name: 'Refillable Soap Dispenser, 350 ml',
    description:
      'Brown glass, a steel pump and no label. The pump takes thick hand soap and thin washing-up liquid, ' +
      'and unscrews completely when it clogs. A silicone ring under the base saves it on wet marble.',
    priceCents: 1995,
    stock: 0,
    attributes: {
      brand: 'Hearthby',
      type: 'soap dispenser',
      capacityMl: 350,
      material: 'glass and stainless steel',
      heightCm: 17,
      weightG: 440,
      colours: ['amber', 'clear'],
    },
  },
  {
    sku: 'HOM-0029',
    name: 'Windproof City Umbrella',
    description:
      'A folding umbrella with nine ribs that turns inside out in a gale and snaps back unharmed. It ' +
      'opens at the press of a button and closes by hand, which is the part that usually breaks. Every ' +
      'rib and the handle can be had as spares.',
    priceCents: 4485,
    stock: 2,
    attributes: {
      brand: 'Klarby',
      type: 'umbrella',
      material: 'recycled polyester and fibreglass',
      diameterCm: 104,
      lengthCm: 31,
      weightG: 395,
      colours: ['black', 'bottle green', 'burgundy'],
    },
  },
  {
    sku: 'HOM-0030',
    name: 'Smart Radiator Valve',
    description:
      'Learns how long each room takes to warm up and starts early enough. It notices an open window by ' +
      'the sudden drop and shuts for a quarter of an hour. Settings stay in the valve itself, so it works ' +
      'without an internet connection.',
    priceCents: 5999,
    stock: 55,
    attributes: {
      brand: 'Lumsted',
      type: 'heating control',
      connections: ['Bluetooth 5.1', 'Thread'],
      batteryMonths: 24,
      rangeMinC: 5,
      rangeMaxC: 28,
      weightG: 205,
      colours: ['white'],
    },
  },
]
