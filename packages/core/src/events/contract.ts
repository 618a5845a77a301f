/**
 * The event log as a contract: how processes reach it. Its server is a service like any other (`control/event-log`); what
 * it promises is told in `log.ts`.
 *
 * @module
 */
import { anyService } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { command, query, stream } from '../contract/operation.ts'
import { Id, Nothing, Time, Type } from '../contract/schema.ts'
import { Envelope, EventId, KEY_CHARS_MAX, Source } from './envelope.ts'
import { APPEND_EVENTS_MAX, BATCH_EVENTS_MAX } from './log.ts'

const Position = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

const Topic = Type.String({ pattern: '^(\\*|[a-z][a-z0-9-]{0,30}\\.(\\*|[a-z][A-Za-z0-9]{0,40}))$' })

const LoggedEvent = Type.Object({
  position: Type.Integer({ minimum: 1 }),
  partition: Type.Integer({ minimum: 0 }),
  event: Envelope,
})

/** The event log's contract. */
export const eventLog = defineContract({
  name: 'events',
  version: 1,
  summary: 'Keeps what happened, in order, for whoever wants to know.',
  operations: {
    append: command({
      summary: 'Adds events of the calling service.',
      access: anyService,
      // The log may have an event twice, but that is for the producer to decide.
      idempotency: 'none',
      timeoutMs: 10_000,
      input: Type.Object({
        /** Default, and nothing else is taken: the calling service. */
        source: Type.Optional(Source),
        fencing: Position,
        events: Type.Array(Envelope, { minItems: 1, maxItems: APPEND_EVENTS_MAX }),
      }),
      output: Nothing,
      reasons: {
        not_yours: { code: 'permission_denied', title: 'A service may append only its own events' },
        fenced: { code: 'failed_precondition', status: 409, title: 'A later producer has taken over' },
      },
    }),
    follow: stream({
      summary: 'Events after a position, then every new one.',
      access: anyService,
      input: Type.Object({
        topics: Type.Array(Topic, { minItems: 1, maxItems: 100 }),
        positions: Type.Record(Type.String({ pattern: '^[0-7]$' }), Position, { minProperties: 1 }),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: BATCH_EVENTS_MAX })),
        heartbeatMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 60_000 })),
      }),
      output: Type.Object({
        events: Type.Array(LoggedEvent),
        upTo: Position,
        forgottenUpTo: Type.Optional(Position),
        isEnd: Type.Optional(Type.Boolean()),
      }),
      reasons: {
        beyond_end: { code: 'failed_precondition', title: 'The log ends before this position' },
      },
    }),
    head: query({
      summary: 'How far the log goes.',
      access: anyService,
      output: Type.Object({ position: Position, oldest: Position }),
    }),
    read: query({
      summary: 'Events for people, the newest first.',
      access: anyService,
      input: Type.Object({
        topic: Type.Optional(Topic),
        key: Type.Optional(Type.String({ maxLength: KEY_CHARS_MAX })),
        /** Only events at later positions; then the oldest first. */
        after: Type.Optional(Position),
        /** Only events at earlier positions. */
        before: Type.Optional(Position),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
      }),
      output: Type.Object({ items: Type.Array(LoggedEvent) }),
    }),
    find: query({
      summary:
        'The event with an id, wherever it is in the log; several times if it was appended more than once.',
      access: anyService,
      input: Type.Object({ id: Id }),
      output: Type.Object({ items: Type.Array(LoggedEvent) }),
    }),
    topics: query({
      summary: 'The kinds of events that are kept.',
      access: anyService,
      output: Type.Object({
        items: Type.Array(
          Type.Object({
            topic: EventId,
            /** Of its newest event. */
            position: Position,
            time: Time,
          }),
        ),
      }),
    }),
  },
})
