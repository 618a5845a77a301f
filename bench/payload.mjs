/**
 * What every side sends and answers: about 200 bytes in, 400 out, as JSON.
 *
 * @module
 */

/** The input. */
export const input = {
  orderId: '01890d7e-aaaa-7bbb-8ccc-1234567890ab',
  lines: [
    { sku: 'AUD-0001', quantity: 2 },
    { sku: 'KIT-0023', quantity: 1 },
  ],
  currency: 'EUR',
  total: 12_345,
  isExpress: false,
  note: 'Please leave it at the door.',
}

/** The output. */
export const output = {
  id: '01890d7e-aaaa-7bbb-8ccc-1234567890ab',
  sku: 'AUD-0007',
  name: 'Wireless headphones with a rather long name',
  description: 'Over-ear headphones with active noise cancelling, thirty hours of battery, and a case.',
  price: { amount: 12_900, currency: 'EUR' },
  stock: { available: 12 },
  category: 'audio',
  colours: ['black', 'oat', 'slate blue'],
  rating: { average: 4.5, count: 12 },
  version: 3,
}
