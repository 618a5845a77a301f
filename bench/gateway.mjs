/**
 * `npm run bench -- gateway|upstream|cache`: our gateway with everything that is on by default, against what others do with less.
 * What is on and off at each side, its file in `fronts/` says.
 *
 * @module
 */
import { hasPrograms } from './children.mjs'
import { chosen, judge } from './figures.mjs'
import { openBeforeForeign, openBeforeKept, openBeforeService } from './fronts/flotilla.mjs'
import { openMoleculerWeb, openProxy } from './fronts/javascript.mjs'
import { openNginx, openNginxCache } from './fronts/nginx.mjs'
import { openVarnish } from './fronts/varnish.mjs'
import { loadFronts, OURS, perCore, showFronts } from './http-load.mjs'

const CONNECTIONS = [8, 64, 512]
/** What goals speak of when they do not say. */
const USUAL = 64
const JAVASCRIPT = ['fast-gateway', 'fastify', 'http-proxy']

/** The gateway before a service, against nginx bare and JavaScript gateways with JWT and limit; `only` names sides. */
export async function measureGateway({ only, ...rest }) {
  if (!hasPrograms('gateway', 'wrk', 'nginx')) return
  const fronts = {
    [OURS]: openBeforeService,
    nginx: openNginx,
    ...Object.fromEntries(JAVASCRIPT.map((name) => [name, openProxy(name)])),
    'moleculer-web': openMoleculerWeb,
  }
  const names = chosen(only, Object.keys(fronts))
  const figures = await loadFronts(fronts, names, { connections: CONNECTIONS, ...rest })
  showFronts(figures, names, CONNECTIONS)
  for (const [count, atLeast] of [
    [64, 1],
    [8, 0.9],
    [512, 0.9],
  ])
    judge(`requests per core against nginx, ${count} connections`, perCore(figures, 'nginx', count), {
      atLeast,
    })
  for (const name of [...JAVASCRIPT, 'moleculer-web'])
    judge(`requests per core against ${name}`, perCore(figures, name, USUAL), { atLeast: 4 })
}

/** The gateway before a foreign server, against JavaScript proxies and nginx, all bare; `only` names sides. */
export async function measureUpstream({ only, ...rest }) {
  if (!hasPrograms('upstream', 'wrk', 'nginx')) return
  const fronts = {
    [OURS]: openBeforeForeign,
    ...Object.fromEntries(JAVASCRIPT.map((name) => [name, openProxy(name, { isBare: true })])),
    nginx: openNginx,
  }
  const names = chosen(only, Object.keys(fronts))
  const figures = await loadFronts(fronts, names, { connections: CONNECTIONS, ...rest })
  showFronts(figures, names, CONNECTIONS)
  const ratios = JAVASCRIPT.filter((name) => names.includes(name)).map((name) =>
    perCore(figures, name, USUAL),
  )
  const best = ratios.length === 0 ? Number.NaN : Math.min(...ratios)
  judge('requests per core against the best JavaScript proxy', best, { atLeast: 1.5 })
  console.log(`shown  against nginx: ${perCore(figures, 'nginx', USUAL).toFixed(2)} x`)
}

/** Answers that the gateway keeps, for who is logged in, against those that nginx and Varnish keep for all; `only` names sides. */
export async function measureCache({ only, ...rest }) {
  if (!hasPrograms('cache', 'wrk', 'nginx')) return
  const fronts = { [OURS]: openBeforeKept, nginx: openNginxCache }
  const wanted = chosen(only, [...Object.keys(fronts), 'varnish'])
  if (wanted.includes('varnish') && hasPrograms('cache with varnish', 'varnishd'))
    fronts.varnish = openVarnish
  const names = wanted.filter((name) => Object.hasOwn(fronts, name))
  const figures = await loadFronts(fronts, names, { connections: CONNECTIONS, ...rest })
  showFronts(figures, names, CONNECTIONS)
  for (const name of ['nginx', 'varnish'])
    judge(`kept answers per core against ${name}`, perCore(figures, name, USUAL), { atLeast: 0.8 })
}
