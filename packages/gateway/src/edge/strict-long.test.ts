/**
 * The program of `npm run test:http`: every campaign of strict HTTP, in one process.
 *
 * @module
 */
import './strict-turns.test.ts'
import './strict-campaign.test.ts'
import './strict-foreign.test.ts'
import './strict-peers.test.ts'
