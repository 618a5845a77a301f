/** Journeys through the shop, the same on every placement, one shop for all of them. */
import { describe } from 'node:test'
import { authorisation } from './journeys/authorisation.ts'
import { browsing } from './journeys/browsing.ts'
import { buying } from './journeys/buying.ts'
import { sameAnswers } from './journeys/same-answers.ts'
import { openOnce } from './open-once.ts'
import { openShop, placements } from './placements.ts'

for (const placement of placements) {
  describe(`the shop, ${placement}`, () => {
    const shop = openOnce((t) => openShop(t, placement))
    // First, since the others leave something behind.
    sameAnswers(shop)
    browsing(shop)
    buying(shop)
    authorisation(shop)
  })
}
