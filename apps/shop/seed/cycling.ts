/**
 * Bicycles, parts, tools and clothing.
 * `wheelSize` is the nominal one; `tyreMm` the tyre's width.
 *
 * @module
 */
import type { ProductEntry } from './product.ts'

/** The thirty products of this category. */
export const cycling: readonly ProductEntry[] = [
  {
    sku: 'CYC-0001',
    name: 'Velmora Towpath 8 Town Bicycle',
    description:
      'A bicycle for every day: upright, with hub gears that can be shifted at a standstill and a chain ' +
      'case that spares your trousers. Lights run from the hub dynamo. Delivered nearly assembled; turn ' +
      'the handlebar, fit the pedals, and pump up the tyres.',
    priceCents: 74900,
    stock: 12,
    attributes: {
      brand: 'Velmora',
      type: 'bicycle',
      frame: 'chromoly steel',
      gears: 8,
      wheelSize: '28 inch',
      frameSizes: ['49 cm', '54 cm', '59 cm'],
      brakes: 'roller',
      weightG: 16400,
      colours: ['racing green', 'dove blue'],
    },
  },
  {
    sku: 'CYC-0002',
    name: 'Velmora Drover Gravel Bicycle',
    description:
      'One chainring, a wide cassette and room for tyres up to 45 mm. Steering is calm rather than ' +
      'nimble, which you will value on the second day with luggage. Mounts for mudguards and a rack hide ' +
      'behind the stays.',
    priceCents: 149000,
    stock: 4,
    attributes: {
      brand: 'Velmora',
      type: 'bicycle',
      frame: 'aluminium, carbon fork',
      gears: 11,
      wheelSize: '28 inch',
      frameSizes: ['52 cm', '54 cm', '56 cm', '58 cm'],
      brakes: 'hydraulic disc',
      weightG: 10300,
      colours: ['sandstone', 'deep plum'],
    },
  },
  {
    sku: 'CYC-0003',
    name: 'Velmora Acorn Balance Bike',
    description:
      'Light enough for a two-year-old to pick up again, which happens often. Pneumatic tyres roll over ' +
      'gravel where foam ones skid. The saddle starts at 30 cm, and the handlebar is limited so that it ' +
      'cannot fold under.',
    priceCents: 11900,
    stock: 25,
    attributes: {
      brand: 'Velmora',
      type: "children's bike",
      frame: 'aluminium',
      wheelSize: '12 inch',
      ageFrom: 2,
      loadMaxKg: 30,
      weightG: 3100,
      colours: ['tomato', 'mint', 'sky'],
    },
  },
  {
    sku: 'CYC-0004',
    name: 'Spokelark Beam 60 Front Light',
    description:
      'The beam has a flat top edge, so it lights the road and not the eyes of people coming towards you. ' +
      'Five hours at full, fifteen on low, with a gauge that counts in quarters. Approved for road use in ' +
      'Germany, whose rules are the strictest we know.',
    priceCents: 6490,
    stock: 66,
    attributes: {
      brand: 'Spokelark',
      type: 'front light',
      lux: 60,
      batteryHours: 5,
      waterRating: 'IPX4',
      fits: ['22–35 mm handlebars'],
      weightG: 104,
      colours: ['black', 'silver'],
    },
  },
  {
    sku: 'CYC-0005',
    name: 'Spokelark Ember Rear Light',
    description:
      'Glows steadily and brightens when you brake. Visible from the side as well, thanks to a lens that ' +
      'wraps round. One rubber strap holds it to any seatpost from 27 to 32 mm, or to a bag loop.',
    priceCents: 2999,
    stock: 134,
    attributes: {
      brand: 'Spokelark',
      type: 'rear light',
      batteryHours: 12,
      waterRating: 'IPX6',
      brakeSignal: true,
      fits: ['27–32 mm seatposts'],
      weightG: 38,
      colours: ['black'],
    },
  },
  {
    sku: 'CYC-0006',
    name: 'Velmora Plover Helmet',
    description:
      'Round enough to suit heads that most helmets pinch at the temples. A liner lets the shell rotate ' +
      'slightly in an oblique fall. Replace it after any hard knock, and after about seven years in the ' +
      'sun in any case.',
    priceCents: 7900,
    stock: 57,
    attributes: {
      brand: 'Velmora',
      type: 'helmet',
      material: 'polystyrene and polycarbonate',
      sizes: ['S 51–55 cm', 'M 55–59 cm', 'L 59–63 cm'],
      standard: 'EN 1078',
      weightG: 295,
      colours: ['matt olive', 'white', 'night blue'],
    },
  },
  {
    sku: 'CYC-0007',
    name: 'Hollin Works Floor Pump',
    description:
      'A steel barrel, a long wooden handle and a gauge large enough to read while standing. The head ' +
      'takes all three valve types without swapping parts. Seals can be replaced with a spoon and two ' +
      'minutes.',
    priceCents: 4650,
    stock: 49,
    attributes: {
      brand: 'Hollin Works',
      type: 'pump',
      pressureMaxBar: 11,
      material: 'steel',
      valves: ['Presta', 'Dunlop', 'car-type'],
      heightCm: 68,
      weightG: 1780,
      colours: ['red', 'black'],
    },
  },
  {
    sku: 'CYC-0008',
    name: 'Garrane Pocket Pump',
    description:
      'The hose screws on, so you pull at the hose and not at the valve. Around 180 strokes bring a 28 mm ' +
      'tyre to a pressure that gets you home. A dust cap keeps the grit out when it rides on the frame.',
    priceCents: 3150,
    stock: 45,
    attributes: {
      brand: 'Garrane',
      type: 'pump',
      pressureMaxBar: 7,
      material: 'aluminium',
      valves: ['Presta', 'car-type'],
      lengthCm: 18.5,
      weightG: 115,
      colours: ['silver', 'black'],
    },
  },
  {
    sku: 'CYC-0009',
    name: 'Hollin Works 17-Function Multi-Tool',
    description:
      'Hex keys from 2 to 8 mm, star drivers, two screwdrivers, spoke keys and a chain breaker that does ' +
      'not bend. The long sides give real leverage on a seized bolt. It lives in a neoprene pouch, so ' +
      'nothing rattles.',
    priceCents: 3450,
    stock: 83,
    attributes: {
      brand: 'Hollin Works',
      type: 'tool',
      functions: 17,
      material: 'hardened steel',
      lengthCm: 8.9,
      weightG: 174,
    },
  },
  {
    sku: 'CYC-0010',
    name: 'Garrane Nine-Speed Chain, 116 Links',
    description:
      'Plated on every plate, inside and out, so it shrugs off a winter of salted roads. Comes with a ' +
      'link that closes by hand and opens with pliers. Change it at 0.75 % stretch and the cassette will ' +
      'last for three chains.',
    priceCents: 2260,
    stock: 98,
    attributes: {
      brand: 'Garrane',
      type: 'chain',
      speeds: 9,
      links: 116,
      material: 'nickel-plated steel',
      weightG: 298,
    },
  },
  {
    sku: 'CYC-0011',
    name: 'Hollin Works Chain Wax, 120 ml',
    description:
      'Goes on milky, dries overnight and leaves a film that sand does not stick to. Degrease the chain ' +
      'first, properly, or it will not hold. Expect 200 to 300 km in dry weather and much less in wet.',
    priceCents: 1175,
    stock: 152,
    attributes: {
      brand: 'Hollin Works',
      type: 'lubricant',
      volumeMl: 120,
      biodegradable: true,
      weightG: 140,
    },
  },
  {
    sku: 'CYC-0012',
    name: 'Puncture Repair Tin',
    description:
      'Six patches, a fresh tube of rubber solution, sandpaper, chalk and two tyre levers in a tin that ' +
      'shuts firmly. Patience is not included: let the glue dry for five whole minutes before you press. ' +
      'The solution keeps for two years once opened.',
    priceCents: 585,
    stock: 220,
    attributes: {
      brand: 'Hollin Works',
      type: 'repair kit',
      pieceCount: 11,
      material: 'rubber and steel',
      weightG: 74,
    },
  },
  {
    sku: 'CYC-0013',
    name: 'Garrane Inner Tube 700 × 28–35, Presta',
    description:
      'Butyl of an even thickness, tested under water before it was folded. The 48 mm valve suits ' +
      'ordinary rims; deep ones need the longer version. Dusted with talc and wrapped in paper, without ' +
      'the usual plastic box.',
    priceCents: 745,
    stock: 190,
    attributes: {
      brand: 'Garrane',
      type: 'inner tube',
      wheelSize: '28 inch',
      tyreMinMm: 28,
      tyreMaxMm: 35,
      valveMm: 48,
      material: 'butyl',
      weightG: 128,
    },
  },
  {
    sku: 'CYC-0014',
    name: 'Garrane Overland Tyre 700 × 35',
    description:
      'A tyre for towpaths and tarmac in equal parts: nearly smooth in the middle, knobbly at the ' +
      'shoulders. Three millimetres of rubber under the tread stop most thorns and glass. Reflective ' +
      'bands on both sides.',
    priceCents: 3990,
    stock: 72,
    attributes: {
      brand: 'Garrane',
      type: 'tyre',
      wheelSize: '28 inch',
      tyreMm: 35,
      punctureLayer: true,
      pressureMaxBar: 5.5,
      weightG: 540,
      colours: ['black', 'tan wall'],
    },
  },
  {
    sku: 'CYC-0015',
    name: 'Roll-Top Panniers, Pair, 2 × 20 l',
    description:
      'Welded seams and a roll-top keep out anything short of immersion. The hooks release when you lift ' +
      'the handle and lock when you let go. Each one stands by itself on the floor and takes a crate of ' +
      'groceries.',
    priceCents: 12900,
    stock: 38,
    attributes: {
      brand: 'Velmora',
      type: 'pannier',
      capacityL: 40,
      material: 'welded polyester',
      waterRating: 'IP64',
      fits: ['rack tubes 8–16 mm'],
      weightG: 1780,
      colours: ['asphalt', 'mustard', 'petrol'],
    },
  },
  {
    sku: 'CYC-0016',
    name: 'Velmora Handlebar Bag, 6 l',
    description:
      'Opens away from you with one hand, as a map, a banana and a camera should be reachable while ' +
      'rolling. A stiff liner stops it from sagging on the front wheel. Clicks off and turns into a ' +
      'shoulder bag.',
    priceCents: 6890,
    stock: 30,
    attributes: {
      brand: 'Velmora',
      type: 'handlebar bag',
      capacityL: 6,
      material: 'waxed canvas',
      loadMaxKg: 3,
      weightG: 520,
      colours: ['khaki', 'rust'],
    },
  },
  {
    sku: 'CYC-0017',
    name: 'Garrane Seatpost, 27.2 mm',
    description:
      'The clamp has two bolts, so the saddle angle can be set to a hair and stays there. Polished, not ' +
      'painted. Check the size stamped on the old post before ordering: 27.2 mm is common, 27 mm and 26.8 ' +
      'mm exist as well.',
    priceCents: 4490,
    stock: 21,
    attributes: {
      brand: 'Garrane',
      type: 'seatpost',
      diameterMm: 27.2,
      lengthMm: 350,
      material: 'forged aluminium',
      setbackMm: 15,
      weightG: 262,
      colours: ['silver', 'black'],
    },
  },
  {
    sku: 'CYC-0018',
    name: 'Spokelark Brass Bell',
    description:
      'One clear note that hangs in the air for five seconds. People turn round smiling rather than ' +
      'jumping into the hedge. Mounts without tools, left or right.',
    priceCents: 2230,
    stock: 116,
    attributes: {
      brand: 'Spokelark',
      type: 'bell',
      material: 'brass',
      diameterMm: 35,
      fits: ['22–32 mm handlebars'],
      weightG: 52,
      colours: ['brass', 'black'],
    },
  },
  {
    sku: 'CYC-0019',
    name: 'Bulwark D-Lock with Cable',
    description:
      'A hardened 14 mm shackle that needs two cuts rather than one, plus a cable for the front wheel. ' +
      'The bracket holds it on the frame without rattling. As with all locks, what you fasten it to ' +
      'matters just as much.',
    priceCents: 7450,
    stock: 43,
    attributes: {
      brand: 'Hollin Works',
      type: 'lock',
      shackleMm: 14,
      lengthCm: 23,
      widthCm: 11.5,
      keyCount: 3,
      weightG: 1620,
    },
  },
  {
    sku: 'CYC-0020',
    name: 'Garrane Wire Bottle Cage',
    description:
      'Bent from a single tube of steel, springy enough to grip metal flasks and soft plastic alike. It ' +
      'leaves no black marks on the bottle. Both bolts are supplied, with a drop of thread lock already ' +
      'on them.',
    priceCents: 1650,
    stock: 77,
    attributes: {
      brand: 'Garrane',
      type: 'bottle cage',
      material: 'stainless steel',
      diameterMm: 74,
      weightG: 48,
      colours: ['polished steel'],
    },
  },
  {
    sku: 'CYC-0021',
    name: 'Insulated Bidon, 650 ml',
    description:
      'A double wall buys you about one more hour of cool water than an ordinary bottle. The valve opens ' +
      'with the teeth and closes with the chin. Wide neck, all parts can be taken out and none of them ' +
      'holds mould if you let it dry.',
    priceCents: 1465,
    stock: 99,
    attributes: {
      brand: 'Spokelark',
      type: 'water bottle',
      capacityL: 0.65,
      material: 'polypropylene',
      dishwasherSafe: true,
      weightG: 118,
      colours: ['clear', 'smoke', 'lemon'],
    },
  },
  {
    sku: 'CYC-0022',
    name: 'Velmora Long Haul Bib Shorts',
    description:
      'The padding is dense foam without ridges, meant for days of six hours and more. Wide leg bands ' +
      'hold without a silicone edge. They run small: between two sizes, take the larger.',
    priceCents: 11500,
    stock: 3,
    attributes: {
      brand: 'Velmora',
      type: 'clothing',
      material: 'polyamide and elastane',
      sizes: ['XS', 'S', 'M', 'L', 'XL', 'XXL'],
      paddingMm: 14,
      weightG: 205,
      colours: ['black', 'navy'],
    },
  },
  {
    sku: 'CYC-0023',
    name: 'Velmora Rain Cape',
    description:
      'Spread it over the handlebar, put your thumbs through the loops, and your knees stay dry while air ' +
      'comes in from below. In a strong headwind it is a sail, and you should know that before you set ' +
      'out. Reflective piping all round.',
    priceCents: 8900,
    stock: 17,
    attributes: {
      brand: 'Velmora',
      type: 'clothing',
      material: 'waxed recycled polyester',
      hydrostaticHeadMm: 8000,
      sizes: ['S/M', 'L/XL'],
      weightG: 430,
      colours: ['yellow', 'forest'],
    },
  },
  {
    sku: 'CYC-0024',
    name: 'Velmora Winter Gloves',
    description:
      'Good down to about 2 °C, and lower for those who climb. Two fingers work a touchscreen, more or ' +
      'less. The back of the thumb is terry cloth, for the purpose every cyclist knows.',
    priceCents: 4950,
    stock: 47,
    attributes: {
      brand: 'Velmora',
      type: 'clothing',
      material: 'softshell and merino',
      sizes: ['7', '8', '9', '10', '11'],
      weightG: 118,
      colours: ['black', 'black and lime'],
    },
  },
  {
    sku: 'CYC-0025',
    name: 'Full-Length Mudguards, 45 mm',
    description:
      'Long at both ends, with a flap almost down to the road, so your feet and the rider behind stay ' +
      'clean. The front stays pop loose if a stick gets caught. Allow an evening for the first fitting ' +
      'and cut nothing before measuring twice.',
    priceCents: 4190,
    stock: 35,
    attributes: {
      brand: 'Garrane',
      type: 'mudguards',
      wheelSize: '28 inch',
      widthMm: 45,
      fits: ['tyres up to 38 mm'],
      material: 'aluminium and polycarbonate',
      weightG: 610,
      colours: ['black', 'silver'],
    },
  },
  {
    sku: 'CYC-0026',
    name: 'Hollin Works Leather Saddle',
    description:
      'Uncomfortable for the first 300 km, and then for twenty years the best seat you own. Treat the ' +
      'underside with wax twice a year and cover it when parked in the rain. The tension bolt is for the ' +
      'fifth year, not for the fifth week.',
    priceCents: 9900,
    stock: 14,
    attributes: {
      brand: 'Hollin Works',
      type: 'saddle',
      material: 'vegetable-tanned leather',
      widthMm: 168,
      railMaterial: 'steel',
      weightG: 530,
      colours: ['honey', 'black'],
    },
  },
  {
    sku: 'CYC-0027',
    name: 'Garrane Disc Brake Pads, Organic',
    description:
      'Quiet, kind to the disc and strong from the first metre. They wear faster in sand and slush than ' +
      'metallic pads. Bed them in with twenty firm stops from 25 km/h before you rely on them.',
    priceCents: 1785,
    stock: 0,
    attributes: {
      brand: 'Garrane',
      type: 'brake pads',
      material: 'organic compound',
      pieceCount: 2,
      fits: ['Garrane two-piston calipers'],
      weightG: 22,
    },
  },
  {
    sku: 'CYC-0028',
    name: 'Hollin Works Folding Repair Stand',
    description:
      'Brings the bottom bracket up to where your hands are. The clamp has soft jaws and turns through a ' +
      'full circle; grip the seatpost, not a thin frame tube. Three legs stand firm even on a sloping ' +
      'courtyard.',
    priceCents: 15900,
    stock: 9,
    attributes: {
      brand: 'Hollin Works',
      type: 'workstand',
      material: 'aluminium',
      loadMaxKg: 28,
      heightMaxCm: 155,
      packedSize: '98 × 20 cm',
      weightG: 5600,
    },
  },
  {
    sku: 'CYC-0029',
    name: 'Garrane Cork Handlebar Tape',
    description:
      'Soft without being spongy, and it stays grippy in the wet. Long enough for bars of 46 cm with some ' +
      'to spare. Start at the end, pull evenly, and overlap by a third.',
    priceCents: 1880,
    stock: 64,
    attributes: {
      brand: 'Garrane',
      type: 'handlebar tape',
      material: 'cork and EVA',
      thicknessMm: 2.5,
      lengthCm: 210,
      weightG: 92,
      colours: ['black', 'natural', 'burgundy'],
    },
  },
  {
    sku: 'CYC-0030',
    name: 'Spokelark Dash GPS Bike Computer',
    description:
      'Speed, height and a line to follow on a screen that is readable in full sun. Buttons, not touch, ' +
      'because rain and gloves exist. It stores routes for a whole tour and needs no account to use.',
    priceCents: 18999,
    stock: 20,
    attributes: {
      brand: 'Spokelark',
      type: 'bike computer',
      displayInch: 2.4,
      batteryHours: 28,
      waterRating: 'IPX7',
      connections: ['Bluetooth 5.0', 'USB-C'],
      weightG: 74,
      colours: ['black'],
    },
  },
]
