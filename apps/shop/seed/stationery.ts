/**
 * Paper, pens, ink and desk tools.
 * `format` is an ISO size where there is one.
 *
 * @module
 */
import type { ProductEntry } from './product.ts'

/** The thirty products of this category. */
export const stationery: readonly ProductEntry[] = [
  {
    sku: 'STA-0001',
    name: 'Tintenhof Pilgrim Fountain Pen, Fine',
    description:
      'Writes at the first touch even after a fortnight in a drawer, because the cap seals with a spring. ' +
      'The fine nib leaves a line of about 0.5 mm. A converter for bottled ink is in the box along with ' +
      'two cartridges.',
    priceCents: 4900,
    stock: 54,
    attributes: {
      brand: 'Tintenhof',
      type: 'fountain pen',
      nib: 'steel, fine',
      refillable: true,
      material: 'resin',
      fits: ['international cartridges', 'converter'],
      weightG: 21,
      colours: ['bottle green', 'amber', 'ivory'],
    },
  },
  {
    sku: 'STA-0002',
    name: 'Tintenhof Blue-Black Ink, 50 ml',
    description:
      'Goes down a clear blue and darkens within a day to the colour of a November evening. It resists a ' +
      'few drops of water, though it is no document ink. The heavy bottle has a sloping well, so the last ' +
      '5 ml can still be reached.',
    priceCents: 1350,
    stock: 92,
    attributes: {
      brand: 'Tintenhof',
      type: 'ink',
      volumeMl: 50,
      waterproof: false,
      inkColour: 'blue-black',
      weightG: 190,
    },
  },
  {
    sku: 'STA-0003',
    name: 'Quirefield A5 Notebook, Dotted',
    description:
      'Numbered pages, an empty table of contents and a spine that lies flat from the first page. The ' +
      'paper takes fountain pens without feathering; very wet nibs show through a little. Two ribbons, ' +
      'one pocket, no slogan on the cover.',
    priceCents: 1895,
    stock: 160,
    attributes: {
      brand: 'Quirefield',
      type: 'notebook',
      format: 'A5',
      pages: 192,
      paperGsm: 90,
      ruling: 'dotted',
      binding: 'thread-sewn',
      weightG: 330,
      colours: ['ink', 'sage', 'terracotta', 'grey'],
    },
  },
  {
    sku: 'STA-0004',
    name: 'Pocket Notebooks, Pack of Three',
    description:
      'Thin enough for a back pocket and cheap enough to be used up. Squares of 5 mm, rounded corners, ' +
      'and perforated sheets at the end for shopping lists. The cover goes soft with wear but does not ' +
      'split.',
    priceCents: 1165,
    stock: 175,
    attributes: {
      brand: 'Quirefield',
      type: 'notebook',
      format: 'A6',
      pages: 64,
      paperGsm: 80,
      ruling: 'squared',
      binding: 'stapled',
      pieceCount: 3,
      weightG: 150,
      colours: ['kraft', 'grey', 'mixed'],
    },
  },
  {
    sku: 'STA-0005',
    name: 'Quirefield Undated Weekly Planner',
    description:
      'One week across two pages, with the days on the left and an empty grid on the right. You write in ' +
      'the dates yourself, so a skipped holiday wastes nothing. Sixty weeks in all, and a year at a ' +
      'glance at the front.',
    priceCents: 2250,
    stock: 68,
    attributes: {
      brand: 'Quirefield',
      type: 'planner',
      format: 'A5',
      pages: 144,
      paperGsm: 90,
      ruling: 'weekly',
      binding: 'thread-sewn',
      weightG: 265,
      colours: ['navy', 'ochre'],
    },
  },
  {
    sku: 'STA-0006',
    name: 'Marlstone Mechanical Pencil, 0.5 mm',
    description:
      "A draughtsman's pencil with a knurled grip and a steel sleeve that slides back as the lead wears. " +
      'The sleeve retracts fully, which spares shirt pockets. An eraser hides under the button, with a ' +
      'needle for clearing jams.',
    priceCents: 1650,
    stock: 81,
    attributes: {
      brand: 'Marlstone',
      type: 'mechanical pencil',
      leadMm: 0.5,
      material: 'brass',
      refillable: true,
      weightG: 18,
      colours: ['steel', 'black', 'red'],
    },
  },
  {
    sku: 'STA-0007',
    name: 'Marlstone Graphite Pencils 4H–6B, Tin of 12',
    description:
      'From silvery and hard to soft and nearly black, with two of the 6B because they go first. Cedar ' +
      'sharpens cleanly, and the leads are glued along their whole length so they survive a fall. The ' +
      'barrel is lacquered grey and stamped at both ends.',
    priceCents: 1990,
    stock: 59,
    attributes: {
      brand: 'Marlstone',
      type: 'pencils',
      pieceCount: 12,
      grades: ['4H', '2H', 'H', 'F', 'HB', 'B', '2B', '3B', '4B', '5B', '6B'],
      material: 'cedar',
      weightG: 110,
    },
  },
  {
    sku: 'STA-0008',
    name: 'Coloured Pencils, 24 in a Roll',
    description:
      'Wax-based leads that layer and blend without going shiny too soon. Every shade is marked with its ' +
      'lightfastness; the pinks are the weak ones, as ever. Any pencil can be bought singly, and the ' +
      'canvas roll is washable.',
    priceCents: 3490,
    stock: 37,
    attributes: {
      brand: 'Marlstone',
      type: 'pencils',
      pieceCount: 24,
      material: 'cedar',
      lightfast: true,
      weightG: 240,
      colours: ['assorted'],
    },
  },
  {
    sku: 'STA-0009',
    name: 'Watercolour Pans, Set of 12',
    description:
      'Twelve half pans made from single pigments where that is possible, so mixtures stay clear. The ' +
      'enamelled tin has three wells in the lid and room for six more pans. No white: leave the paper, as ' +
      'the old masters did.',
    priceCents: 4250,
    stock: 29,
    attributes: {
      brand: 'Tintenhof',
      type: 'watercolours',
      pieceCount: 12,
      material: 'gum arabic and pigment',
      lightfast: true,
      weightG: 165,
      colours: ['assorted'],
    },
  },
  {
    sku: 'STA-0010',
    name: 'Cold-Pressed Watercolour Pad, 24 × 32 cm',
    description:
      'Glued on all four sides, so the sheet dries flat; slide a knife into the gap at the top to lift it ' +
      'off. Half of the fibre is cotton, which stands scrubbing and masking fluid. A medium tooth on one ' +
      'side, smoother on the other.',
    priceCents: 2790,
    stock: 41,
    attributes: {
      brand: 'Quirefield',
      type: 'paper pad',
      format: '24 × 32 cm',
      sheets: 20,
      paperGsm: 300,
      material: 'half cotton',
      weightG: 640,
    },
  },
  {
    sku: 'STA-0011',
    name: 'Brush Pens, Six Greys',
    description:
      'From mist to slate in six even steps, for sketching light and shade before colour. Real nylon ' +
      'bristles keep their point longer than felt. The ink is waterproof after a minute and can be washed ' +
      'over.',
    priceCents: 1980,
    stock: 52,
    attributes: {
      brand: 'Tintenhof',
      type: 'brush pens',
      pieceCount: 6,
      waterproof: true,
      tip: 'nylon brush',
      weightG: 72,
      inkColour: 'grey',
    },
  },
  {
    sku: 'STA-0012',
    name: 'Gel Pens 0.38 mm, Set of Five',
    description:
      'For small handwriting and the margins of books. The ink dries quickly enough for left-handers, and ' +
      'the rubber grip does not turn sticky with age. Refills cost about half the price of a pen.',
    priceCents: 1235,
    stock: 125,
    attributes: {
      brand: 'Marlstone',
      type: 'gel pens',
      pieceCount: 5,
      tipMm: 0.38,
      refillable: true,
      weightG: 55,
      inkColour: 'black, blue, red, green, brown',
    },
  },
  {
    sku: 'STA-0013',
    name: 'Brass Ballpoint, Hexagonal',
    description:
      'Cut from a solid bar and left without lacquer, so it darkens where you hold it. Six sides keep it ' +
      'from rolling off the desk. Takes the common large-capacity refill; the spring inside is the only ' +
      'part that can ever fail.',
    priceCents: 3200,
    stock: 24,
    attributes: {
      brand: 'Marlstone',
      type: 'ballpoint pen',
      material: 'brass',
      tipMm: 0.7,
      refillable: true,
      weightG: 34,
      inkColour: 'blue',
      colours: ['raw brass'],
    },
  },
  {
    sku: 'STA-0014',
    name: 'Dust-Free Eraser, Two Pieces',
    description:
      'Rolls its crumbs into one long curl that you pick up and throw away. It takes off soft graphite ' +
      'without smearing and leaves the fibres of the paper alone. Coloured pencil only turns paler, as ' +
      'with any eraser.',
    priceCents: 385,
    stock: 230,
    attributes: {
      brand: 'Marlstone',
      type: 'eraser',
      pieceCount: 2,
      material: 'thermoplastic rubber',
      weightG: 46,
    },
  },
  {
    sku: 'STA-0015',
    name: 'Solid Brass Pencil Sharpener',
    description:
      'Two holes, 8 mm for ordinary pencils and 11 mm for thick ones, with blades that unscrew. Brass is ' +
      'heavy and pleasant to hold and will outlive several desks. Spare blades come in packs of five.',
    priceCents: 870,
    stock: 138,
    attributes: { brand: 'Marlstone', type: 'sharpener', material: 'brass', holes: 2, weightG: 41 },
  },
  {
    sku: 'STA-0016',
    name: 'Steel Ruler, 30 cm',
    description:
      'Etched, not printed, so the millimetres never rub off. The zero is at the very end of the metal. ' +
      'Cork on the back keeps it from slipping and lifts the edge just enough that ink does not creep ' +
      'under it.',
    priceCents: 945,
    stock: 86,
    attributes: {
      brand: 'Marlstone',
      type: 'ruler',
      lengthCm: 30,
      material: 'stainless steel',
      thicknessMm: 1,
      weightG: 72,
    },
  },
  {
    sku: 'STA-0017',
    name: 'Marlstone Office Scissors, 21 cm',
    description:
      'Long blades for wrapping paper and a joint that can be tightened with a coin. The larger ring ' +
      'takes three fingers. A left-handed pair is made by the same workshop, and we order it on request.',
    priceCents: 1680,
    stock: 62,
    attributes: {
      brand: 'Marlstone',
      type: 'scissors',
      lengthCm: 21,
      material: 'stainless steel',
      leftHanded: false,
      weightG: 98,
      colours: ['black', 'cobalt'],
    },
  },
  {
    sku: 'STA-0018',
    name: 'Washi Tape, Five Patterns',
    description:
      'Thin Japanese paper that sticks firmly, peels off walls and pages without a trace, and can be ' +
      'written on in ballpoint. Fish scales, waves, hemp leaf, and two plain stripes. Each roll carries ' +
      'seven metres.',
    priceCents: 1075,
    stock: 104,
    attributes: {
      brand: 'Quirefield',
      type: 'adhesive tape',
      pieceCount: 5,
      lengthM: 7,
      widthMm: 15,
      material: 'mulberry paper',
      weightG: 84,
      colours: ['indigo patterns', 'botanical'],
    },
  },
  {
    sku: 'STA-0019',
    name: 'C6 Envelopes, Lined, Pack of 25',
    description:
      'Laid paper with a tissue lining, so nothing can be read against the light. The flap is pointed and ' +
      'gummed; it wants to be licked or touched with a damp sponge. They take an A6 card or an A4 sheet ' +
      'folded twice.',
    priceCents: 1125,
    stock: 77,
    attributes: {
      brand: 'Quirefield',
      type: 'envelopes',
      format: 'C6',
      pieceCount: 25,
      paperGsm: 120,
      weightG: 230,
      colours: ['crème', 'pale grey', 'rose'],
    },
  },
  {
    sku: 'STA-0020',
    name: 'Letter-Writing Set, A5 Laid Paper',
    description:
      'Forty sheets and twenty envelopes in a box with a ribbon, and a sheet of guide lines to lay ' +
      'underneath. The laid texture gives the pen something to hold on to. Plain at the top, so the ' +
      'letter is yours alone.',
    priceCents: 2490,
    stock: 33,
    attributes: {
      brand: 'Quirefield',
      type: 'writing paper',
      format: 'A5',
      sheets: 40,
      pieceCount: 60,
      paperGsm: 100,
      weightG: 410,
      colours: ['crème', 'light blue'],
    },
  },
  {
    sku: 'STA-0021',
    name: 'Sealing Wax and Initial Seal',
    description:
      'Three sticks of traditional shellac wax and a brass seal with one letter of your choosing. It ' +
      'breaks when the letter is opened, which is the idea, so put it in an outer envelope if it has to ' +
      'pass a sorting machine. State the letter in the order note.',
    priceCents: 2150,
    stock: 16,
    attributes: {
      brand: 'Tintenhof',
      type: 'sealing wax',
      pieceCount: 4,
      material: 'shellac and brass',
      weightG: 185,
      colours: ['burgundy', 'midnight'],
    },
  },
  {
    sku: 'STA-0022',
    name: 'Linen Ring Binder, A4',
    description:
      'Bound in linen that can be wiped with a damp cloth, with a label in a metal frame. The lever ' +
      'mechanism closes without a gap even when the binder is full. Takes two-hole and, with the strips ' +
      'supplied, four-hole sheets.',
    priceCents: 1790,
    stock: 48,
    attributes: {
      brand: 'Quirefield',
      type: 'ring binder',
      format: 'A4',
      capacitySheets: 300,
      spineMm: 60,
      material: 'linen and board',
      weightG: 590,
      colours: ['grey', 'mustard', 'bordeaux', 'navy'],
    },
  },
  {
    sku: 'STA-0023',
    name: 'Ruled Index Cards A6, 200',
    description:
      'Stiff enough to stand in a box and be flicked through for years. Ruled on the front, blank on the ' +
      'back. Vocabulary, recipes, novels in the making: all have been reported.',
    priceCents: 730,
    stock: 111,
    attributes: {
      brand: 'Quirefield',
      type: 'index cards',
      format: 'A6',
      pieceCount: 200,
      paperGsm: 190,
      ruling: 'ruled',
      weightG: 590,
      colours: ['white', 'assorted'],
    },
  },
  {
    sku: 'STA-0024',
    name: 'Wool Felt Desk Pad, 80 × 35 cm',
    description:
      'Keeps wrists off cold wood and muffles a loud keyboard. The wool is pressed, not woven, so it does ' +
      'not fray, and the cork underside stays in place. Coffee beads off for as long as it takes you to ' +
      'find a cloth.',
    priceCents: 4450,
    stock: 18,
    attributes: {
      brand: 'Marlstone',
      type: 'desk pad',
      lengthCm: 80,
      widthCm: 35,
      thicknessMm: 3,
      material: 'wool felt',
      weightG: 430,
      colours: ['anthracite', 'oat', 'moss'],
    },
  },
  {
    sku: 'STA-0025',
    name: 'Waxed Canvas Pen Roll',
    description:
      'Twelve narrow slots and two wide ones behind a flap that stops everything from sliding out. It ' +
      'ties with a leather cord. Soft lining, since lacquered pens scratch each other otherwise.',
    priceCents: 3350,
    stock: 23,
    attributes: {
      brand: 'Tintenhof',
      type: 'pen case',
      material: 'waxed canvas',
      lengthCm: 34,
      slots: 12,
      weightG: 140,
      colours: ['olive', 'tan'],
    },
  },
  {
    sku: 'STA-0026',
    name: 'Long-Reach Stapler',
    description:
      'Reaches 30 cm into the sheet, far enough to staple the fold of an A3 booklet. An adjustable stop ' +
      'repeats the distance for a whole print run. Uses ordinary 24/6 staples, of which a box is ' +
      'supplied.',
    priceCents: 2890,
    stock: 27,
    attributes: {
      brand: 'Marlstone',
      type: 'stapler',
      material: 'steel',
      reachMm: 300,
      capacitySheets: 20,
      weightG: 690,
      colours: ['black', 'light grey'],
    },
  },
  {
    sku: 'STA-0027',
    name: 'Dip Pen Calligraphy Set',
    description:
      'A cherry-wood holder, five nibs from hairline to broad, black ink and a 24-page workbook. Lick the ' +
      'new nibs or pass them through a flame to remove the factory oil. Expect blots for an hour and ' +
      'pleasure thereafter.',
    priceCents: 2650,
    stock: 5,
    attributes: {
      brand: 'Tintenhof',
      type: 'calligraphy set',
      pieceCount: 8,
      nib: 'five steel nibs',
      material: 'cherry wood',
      inkColour: 'black',
      weightG: 210,
    },
  },
  {
    sku: 'STA-0028',
    name: 'Quirefield Sketchbook A4, 140 gsm',
    description:
      'Natural white paper with a light grain, for pencil, charcoal, ink and a modest wash. It opens flat ' +
      'across two pages. An elastic band and a stiff back make it usable on the knee at a café table.',
    priceCents: 2390,
    stock: 45,
    attributes: {
      brand: 'Quirefield',
      type: 'sketchbook',
      format: 'A4',
      pages: 120,
      paperGsm: 140,
      ruling: 'plain',
      binding: 'thread-sewn',
      weightG: 780,
      colours: ['black', 'raw linen'],
    },
  },
  {
    sku: 'STA-0029',
    name: 'Café Scenes Greeting Cards, Eight',
    description:
      'Eight linocuts of breakfast tables, newspapers and dogs under chairs, printed from the original ' +
      'blocks. Blank inside. Each card has its envelope, and there is no plastic round the set.',
    priceCents: 1440,
    stock: 69,
    attributes: {
      brand: 'Quirefield',
      type: 'greeting cards',
      format: 'A6',
      pieceCount: 8,
      paperGsm: 300,
      weightG: 150,
      colours: ['assorted'],
    },
  },
  {
    sku: 'STA-0030',
    name: 'Dry Highlighters, Four Crayons',
    description:
      'Thick pencils with a soft luminous core that marks thin paper without bleeding through. They do ' +
      'not dry out when someone loses the cap, since there is none. Sharpen them with the 11 mm hole of a ' +
      'double sharpener.',
    priceCents: 1060,
    stock: 0,
    attributes: {
      brand: 'Tintenhof',
      type: 'highlighters',
      pieceCount: 4,
      tipMm: 5,
      material: 'wax and beech',
      weightG: 62,
      colours: ['yellow', 'apricot', 'mint', 'sky'],
    },
  },
]
