/**
 * Headphones, loudspeakers, radios, records.
 * `batteryHours` is at medium volume and, for earbuds, without the case.
 *
 * @module
 */
import type { ProductEntry } from './product.ts'

/** The thirty products of this category. */
export const audio: readonly ProductEntry[] = [
  {
    sku: 'AUD-0001',
    name: 'Ostrel Fathom Wireless Headphones',
    description:
      'Over-ear headphones with active noise cancelling that is strongest against engines and fans, and ' +
      'gentler on voices. The ear pads come off with a quarter turn and can be bought separately. Ten ' +
      'minutes on USB-C gives about four hours of play.',
    priceCents: 22900,
    stock: 48,
    attributes: {
      brand: 'Ostrel',
      type: 'over-ear headphones',
      connections: ['Bluetooth 5.3', '3.5 mm jack'],
      batteryHours: 38,
      noiseCancelling: true,
      driverMm: 40,
      weightG: 254,
      colours: ['black', 'oat', 'slate blue'],
    },
  },
  {
    sku: 'AUD-0002',
    name: 'Halvorn H2 Open-Back Headphones',
    description:
      'Walnut cups with open grilles let air and sound through in both directions, so these belong in a ' +
      'quiet room rather than on a train. At 150 ohms they want a proper headphone amplifier; a phone ' +
      'will drive them, but only softly. The 3 m cable unplugs at both cups.',
    priceCents: 31900,
    stock: 12,
    attributes: {
      brand: 'Halvorn',
      type: 'over-ear headphones',
      connections: ['6.3 mm jack'],
      driverMm: 50,
      impedanceOhm: 150,
      noiseCancelling: false,
      weightG: 318,
      colours: ['walnut'],
    },
  },
  {
    sku: 'AUD-0003',
    name: 'Pelloway Pip True Wireless Earbuds',
    description:
      'Each bud is about the size of a hazelnut, and the five pairs of silicone tips go down to ' +
      'extra-extra-small. Sweat and drizzle do no harm; take them off before you swim. Either one works ' +
      'alone, so one ear can stay on the traffic.',
    priceCents: 6499,
    stock: 120,
    attributes: {
      brand: 'Pelloway',
      type: 'earbuds',
      connections: ['Bluetooth 5.3'],
      batteryHours: 6,
      caseBatteryHours: 18,
      waterRating: 'IPX4',
      noiseCancelling: false,
      weightG: 4.6,
      colours: ['white', 'moss', 'coral'],
    },
  },
  {
    sku: 'AUD-0004',
    name: 'Tonvik Mantel DAB Kitchen Radio',
    description:
      'Four real preset buttons and a volume knob you can turn with wet hands. The clock sets itself from ' +
      'the broadcast and stays right through summer time. It runs from the mains, or from a battery pack ' +
      '(sold separately) that slots into the back.',
    priceCents: 8999,
    stock: 33,
    attributes: {
      brand: 'Tonvik',
      type: 'radio',
      connections: ['DAB+', 'FM', 'Bluetooth 5.0'],
      powerW: 8,
      widthCm: 24,
      weightG: 1150,
      colours: ['cream', 'sage', 'black'],
    },
  },
  {
    sku: 'AUD-0005',
    name: 'Bellwick Lowland Bookshelf Speakers, Pair',
    description:
      'Two-way speakers with a 130 mm paper woofer and a soft-dome tweeter, tuned to stand 20 cm from a ' +
      'wall. They need an amplifier of 30 to 80 watts. Both cabinets of a pair are veneered from the same ' +
      'sheet, so the grain matches.',
    priceCents: 42000,
    stock: 9,
    attributes: {
      brand: 'Bellwick',
      type: 'passive speakers',
      impedanceOhm: 6,
      sensitivityDb: 86,
      wooferMm: 130,
      heightCm: 29.5,
      weightG: 5400,
      colours: ['oak', 'black ash'],
    },
  },
  {
    sku: 'AUD-0006',
    name: 'Ostrel Drift Portable Speaker',
    description:
      'No taller than a tin of tomatoes, with a strap that goes round a branch or a towel rail. It floats ' +
      'with the grille up and survives half an hour at a depth of one metre. Two of them pair as left and ' +
      'right.',
    priceCents: 7999,
    stock: 86,
    attributes: {
      brand: 'Ostrel',
      type: 'portable speaker',
      connections: ['Bluetooth 5.3'],
      batteryHours: 14,
      waterRating: 'IP67',
      powerW: 12,
      weightG: 540,
      colours: ['graphite', 'terracotta', 'lagoon'],
    },
  },
  {
    sku: 'AUD-0007',
    name: 'Marrowby T1 Belt-Drive Turntable',
    description:
      'Everything needed to play a record is in the box: a cartridge already fitted and aligned, a dust ' +
      'cover, a felt mat, and a phono stage that can be switched off when you buy a better one. You ' +
      'change speed by moving the belt by hand. It does not play 78s.',
    priceCents: 28900,
    stock: 14,
    attributes: {
      brand: 'Marrowby',
      type: 'turntable',
      speedsRpm: ['33⅓', '45'],
      cartridge: 'moving magnet',
      phonoStage: true,
      weightG: 5600,
      colours: ['white', 'dark cherry'],
    },
  },
  {
    sku: 'AUD-0008',
    name: 'Marrowby Carbon-Fibre Record Brush',
    description:
      'Two rows of fine bristles lift dust out of the groove while the metal handle carries the static ' +
      'away through your hand. Hold it on the turning record for three revolutions, then sweep outwards. ' +
      'Fingerprints need a wet wash instead.',
    priceCents: 1430,
    stock: 140,
    attributes: { brand: 'Marrowby', type: 'record care', material: 'carbon fibre', widthCm: 9, weightG: 40 },
  },
  {
    sku: 'AUD-0009',
    name: 'Halvorn Desk Headphone Amplifier',
    description:
      'An amplifier and digital converter with the footprint of a paperback. The gain switch on the front ' +
      'matters: low for sensitive in-ears, high for 300 ohm studio headphones. The RCA outputs follow the ' +
      'volume knob, so it can feed active speakers too.',
    priceCents: 17499,
    stock: 21,
    attributes: {
      brand: 'Halvorn',
      type: 'headphone amplifier',
      connections: ['USB-C', 'RCA', '6.3 mm jack', '3.5 mm jack'],
      outputMw: 480,
      weightG: 690,
      colours: ['silver', 'black'],
    },
  },
  {
    sku: 'AUD-0010',
    name: 'Tonvik Daybreak Clock Radio',
    description:
      'Twenty minutes before the alarm, the lamp on top climbs slowly from ember red to daylight. The ' +
      'display dims all the way to nothing, which most clock radios promise and few manage. A button cell ' +
      'keeps the time through a power cut.',
    priceCents: 5490,
    stock: 57,
    attributes: {
      brand: 'Tonvik',
      type: 'radio',
      connections: ['FM'],
      alarms: 2,
      powerW: 3,
      weightG: 480,
      colours: ['white', 'charcoal'],
    },
  },
  {
    sku: 'AUD-0011',
    name: 'Pelloway Junior Headphones with Volume Limit',
    description:
      'For children from four years: the volume stops at 85 decibels however far the tablet is turned up. ' +
      'A second socket on the ear cup lets a brother or sister plug in and listen along. The cable pulls ' +
      'out harmlessly when someone runs off.',
    priceCents: 3475,
    stock: 64,
    attributes: {
      brand: 'Pelloway',
      type: 'on-ear headphones',
      connections: ['3.5 mm jack'],
      volumeMaxDb: 85,
      ageFrom: 4,
      noiseCancelling: false,
      weightG: 148,
      colours: ['blueberry', 'tangerine'],
    },
  },
  {
    sku: 'AUD-0012',
    name: 'Replacement Ear Pads for Ostrel Fathom',
    description:
      'Worn pads leak bass, and it happens so gradually that few people notice until they fit new ones. ' +
      'This pair twists into place by hand. Memory foam under a smooth cover that wipes clean, with mesh ' +
      'against the ear.',
    priceCents: 2485,
    stock: 38,
    attributes: {
      brand: 'Ostrel',
      type: 'accessory',
      fits: ['Ostrel Fathom'],
      material: 'memory foam and polyurethane',
      weightG: 36,
      colours: ['black', 'oat'],
    },
  },
  {
    sku: 'AUD-0013',
    name: 'Bellwick Moorland Integrated Amplifier',
    description:
      'Fifty watts a side into 8 ohms, four line inputs, one optical, and a quiet phono stage for ' +
      'moving-magnet cartridges. Tone controls are there for those who want them and vanish from the ' +
      "circuit at one press. Leave a hand's width free above the case, as it runs warm by design.",
    priceCents: 54900,
    stock: 5,
    attributes: {
      brand: 'Bellwick',
      type: 'stereo amplifier',
      connections: ['RCA', 'phono', 'optical', 'Bluetooth 5.0'],
      powerW: 50,
      weightG: 7200,
      colours: ['black', 'champagne'],
    },
  },
  {
    sku: 'AUD-0014',
    name: 'Halvorn Stage In-Ear Monitors',
    description:
      'Made for drummers and singers who need to hear themselves without a loudspeaker at their feet. The ' +
      'cable hooks over the ear and unplugs at the shell, since cables always fail first. Once warmed up, ' +
      'the foam tips block around 26 decibels of the room.',
    priceCents: 13900,
    stock: 27,
    attributes: {
      brand: 'Halvorn',
      type: 'in-ear monitors',
      connections: ['3.5 mm jack'],
      driverCount: 2,
      impedanceOhm: 22,
      isolationDb: 26,
      weightG: 19,
      colours: ['clear', 'smoke'],
    },
  },
  {
    sku: 'AUD-0015',
    name: 'Tonvik Orator USB Microphone',
    description:
      'Hears the person in front of it and very little of the keyboard behind. Tap the top to mute, and a ' +
      'red ring leaves no doubt about it. The headphone socket in the base plays your own voice back ' +
      'without delay.',
    priceCents: 9900,
    stock: 41,
    attributes: {
      brand: 'Tonvik',
      type: 'microphone',
      connections: ['USB-C', '3.5 mm jack'],
      pickupPattern: 'cardioid',
      sampleRateKhz: 48,
      weightG: 610,
      colours: ['black', 'ivory'],
    },
  },
  {
    sku: 'AUD-0016',
    name: 'Tonvik Low Boom Arm',
    description:
      "Carries a microphone across the desk at elbow height, below the camera's view instead of in front " +
      'of your face. Cables disappear in a channel under a magnetic strip. The clamp has a rubber lining, ' +
      'and adapters for both common threads are included.',
    priceCents: 6950,
    stock: 22,
    attributes: {
      brand: 'Tonvik',
      type: 'accessory',
      reachCm: 82,
      clampMaxMm: 55,
      loadMaxG: 1200,
      material: 'steel and aluminium',
      weightG: 1480,
    },
  },
  {
    sku: 'AUD-0017',
    name: 'Marrowby Rambler Cassette Player',
    description:
      'Newly made, with an aluminium door and a flywheel heavy enough to keep the pitch steady while you ' +
      'walk. It plays ferric and chrome tapes but has no record head and no loudspeaker. Charge it by ' +
      'USB-C or carry two AA cells as a spare.',
    priceCents: 9500,
    stock: 18,
    attributes: {
      brand: 'Marrowby',
      type: 'cassette player',
      connections: ['3.5 mm jack', 'USB-C'],
      batteryHours: 9,
      weightG: 230,
      colours: ['brushed silver', 'brick red'],
    },
  },
  {
    sku: 'AUD-0018',
    name: 'Ostrel Hearth Soundbar with Subwoofer',
    description:
      'One bar under the television and one wireless subwoofer that may stand anywhere in the room. Night ' +
      'mode flattens explosions and lifts dialogue so the rest of the house can sleep. There is a single ' +
      'HDMI socket, so a games console has to go through the television.',
    priceCents: 34900,
    stock: 16,
    attributes: {
      brand: 'Ostrel',
      type: 'soundbar',
      connections: ['HDMI eARC', 'optical', 'Bluetooth 5.2'],
      powerW: 180,
      widthCm: 92,
      weightG: 7900,
      colours: ['graphite'],
    },
  },
  {
    sku: 'AUD-0019',
    name: 'Walnut Speaker Stands, 60 cm',
    description:
      "Bring a bookshelf speaker's tweeter up to ear height when you sit. The steel column is hollow and " +
      'can be filled with dry sand, which calms the bass noticeably. Spikes and rubber feet are both in ' +
      'the box; hard floors want the rubber.',
    priceCents: 15900,
    stock: 7,
    attributes: {
      brand: 'Bellwick',
      type: 'accessory',
      heightCm: 60,
      loadMaxG: 9000,
      material: 'walnut and steel',
      weightG: 8600,
    },
  },
  {
    sku: 'AUD-0020',
    name: 'Halvorn Braided Headphone Cable, 1.5 m',
    description:
      'A shorter, softer lead for the H2 when three metres is too much to gather up. The braid is cotton ' +
      'and makes almost no noise when it rubs against a jumper. Straight plug at the source, one small ' +
      'plug for each ear cup.',
    priceCents: 2950,
    stock: 75,
    attributes: {
      brand: 'Halvorn',
      type: 'accessory',
      connections: ['3.5 mm jack'],
      lengthM: 1.5,
      fits: ['Halvorn H2'],
      weightG: 32,
      colours: ['charcoal', 'sand'],
    },
  },
  {
    sku: 'AUD-0021',
    name: 'Pelloway Hush Sleep Buds',
    description:
      'Flat enough to lie on if you sleep on your side. They mask noise with rain, waves or your own ' +
      'audio, and an alarm sounds in the ear without waking anyone else. No microphone, so they cannot ' +
      'take calls.',
    priceCents: 11900,
    stock: 3,
    attributes: {
      brand: 'Pelloway',
      type: 'earbuds',
      connections: ['Bluetooth 5.2'],
      batteryHours: 9,
      noiseCancelling: false,
      weightG: 2.8,
      colours: ['pearl'],
    },
  },
  {
    sku: 'AUD-0022',
    name: 'Tonvik Storm Wind-Up Radio',
    description:
      'One minute at the crank plays about eight minutes of news. There is a solar strip for the ' +
      'windowsill, a small torch, and a USB socket that will coax a flat phone into one emergency call. ' +
      'Keep it charged in a cupboard and forget about it.',
    priceCents: 4465,
    stock: 95,
    attributes: {
      brand: 'Tonvik',
      type: 'radio',
      connections: ['FM', 'AM', 'USB-C'],
      batteryHours: 12,
      waterRating: 'IPX3',
      weightG: 395,
      colours: ['yellow', 'navy'],
    },
  },
  {
    sku: 'AUD-0023',
    name: 'Marrowby Stylus Force Gauge',
    description:
      'Measures how hard the needle presses on the record, to a hundredth of a gram. Most cartridges want ' +
      'between 1.5 and 2 g; too little damages grooves just as surely as too much. A calibration weight ' +
      'and batteries are included.',
    priceCents: 1999,
    stock: 52,
    attributes: { brand: 'Marrowby', type: 'record care', resolutionG: 0.01, weightMaxG: 5, weightG: 28 },
  },
  {
    sku: 'AUD-0024',
    name: 'Ostrel Trail Bone-Conduction Headphones',
    description:
      'These rest on the cheekbones and leave the ears open, so you hear the car behind you as well as ' +
      'the podcast. Bass is thin, as with every pair of this kind. The titanium band keeps still when ' +
      'running and fits under a helmet strap.',
    priceCents: 10900,
    stock: 46,
    attributes: {
      brand: 'Ostrel',
      type: 'open-ear headphones',
      connections: ['Bluetooth 5.3'],
      batteryHours: 8,
      waterRating: 'IP55',
      noiseCancelling: false,
      weightG: 29,
      colours: ['black', 'rust'],
    },
  },
  {
    sku: 'AUD-0025',
    name: 'Bellwick Fen Active Subwoofer',
    description:
      'A sealed cabinet with a 250 mm driver, chosen for quick, even bass at modest volume in an ordinary ' +
      'living room. The crossover turns from 40 to 140 Hz, and a phase switch helps it agree with your ' +
      'main speakers. Bring a friend; it weighs nearly 14 kg.',
    priceCents: 39900,
    stock: 0,
    attributes: {
      brand: 'Bellwick',
      type: 'subwoofer',
      connections: ['RCA', 'LFE'],
      powerW: 200,
      wooferMm: 250,
      heightCm: 34,
      weightG: 13800,
      colours: ['black ash'],
    },
  },
  {
    sku: 'AUD-0026',
    name: 'Tonvik Puddle Shower Speaker',
    description:
      'Sticks to tiles or glass with a suction cup the size of a saucer. The buttons are large and raised ' +
      'so that you can find them with soap in your eyes. Wipe the wall dry first and it holds for weeks.',
    priceCents: 2649,
    stock: 110,
    attributes: {
      brand: 'Tonvik',
      type: 'portable speaker',
      connections: ['Bluetooth 5.1'],
      batteryHours: 10,
      waterRating: 'IPX7',
      powerW: 3,
      weightG: 165,
      colours: ['sea green', 'white'],
    },
  },
  {
    sku: 'AUD-0027',
    name: 'Halvorn Stub USB-C Headphone Adapter',
    description:
      'Gives a phone its headphone socket back, with a cleaner sound than most phones ever had. It draws ' +
      'power from the phone and costs roughly one hour of battery in ten. The button on the plug plays, ' +
      'pauses and skips.',
    priceCents: 5860,
    stock: 68,
    attributes: {
      brand: 'Halvorn',
      type: 'headphone amplifier',
      connections: ['USB-C', '3.5 mm jack'],
      outputMw: 60,
      sampleRateKhz: 96,
      weightG: 9,
      colours: ['black'],
    },
  },
  {
    sku: 'AUD-0028',
    name: 'Beech Record Crate for 80 LPs',
    description:
      'Solid beech with finger joints and a sloping front edge, so covers can be flicked through like in ' +
      'a shop. Felt pads protect the floor. The crates stack two high without tools and four high with ' +
      'the brass pins supplied.',
    priceCents: 4900,
    stock: 31,
    attributes: {
      brand: 'Marrowby',
      type: 'storage',
      capacityRecords: 80,
      material: 'beech',
      widthCm: 36,
      weightG: 3100,
    },
  },
  {
    sku: 'AUD-0029',
    name: 'Pelloway Roundtable Speakerphone',
    description:
      'Put it in the middle of a table for six and the person at the far end no longer has to shout. Four ' +
      'microphones follow whoever is speaking; paper rustling next to it still comes through. The cable ' +
      'winds into a groove underneath.',
    priceCents: 12500,
    stock: 19,
    attributes: {
      brand: 'Pelloway',
      type: 'speakerphone',
      connections: ['USB-C', 'Bluetooth 5.1'],
      batteryHours: 15,
      microphoneCount: 4,
      powerW: 5,
      weightG: 310,
      colours: ['graphite'],
    },
  },
  {
    sku: 'AUD-0030',
    name: 'Ostrel Hedgerow Field Recorder',
    description:
      'For birdsong, interviews and rehearsals. The 32-bit float format means there is no input level to ' +
      'set: whispers and thunder both survive and are balanced later. A furry wind cover comes with it, ' +
      'and two XLR inputs take outside microphones.',
    priceCents: 24500,
    stock: 2,
    attributes: {
      brand: 'Ostrel',
      type: 'recorder',
      connections: ['USB-C', '3.5 mm jack', 'XLR'],
      batteryHours: 22,
      sampleRateKhz: 96,
      microphoneCount: 2,
      weightG: 275,
      colours: ['olive'],
    },
  },
]
