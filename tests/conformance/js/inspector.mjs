// graphql-inspector's verdict on pairs of schemas against ours: the worst severity at each coordinate must agree.

import { readFileSync } from 'node:fs'
import { diff } from '@graphql-inspector/core'
import { buildSchema } from 'graphql'
import { check } from './check.mjs'

const RANK = { BREAKING: 2, DANGEROUS: 1, NON_BREAKING: 0, breaking: 2, dangerous: 1, safe: 0 }

const coordinate = (change) => {
  const path = change.path ?? ''
  const parts = path.split('.')
  return parts.length === 3 ? `${parts[0]}.${parts[1]}(${parts[2]}:)` : path
}

const worst = (items, key, rank) => {
  const found = new Map()
  for (const item of items) {
    const at = key(item)
    found.set(at, Math.max(found.get(at) ?? 0, rank(item)))
  }
  return found
}

for (const pair of JSON.parse(readFileSync(process.env.PLIANT_SCHEMA_PAIRS, 'utf8'))) {
  const theirs = await diff(buildSchema(pair.before), buildSchema(pair.after))
  const mine = worst(pair.changes, (item) => item.coordinate, (item) => RANK[item.severity])
  const other = worst(theirs, coordinate, (item) => RANK[item.criticality.level])
  const wrong = []
  for (const at of new Set([...mine.keys(), ...other.keys()])) {
    if ((mine.get(at) ?? 0) !== (other.get(at) ?? 0)) {
      const types = theirs.filter((item) => coordinate(item) === at).map((item) => `${item.type} ${item.criticality.level}`)
      wrong.push(`${at}: ours ${mine.get(at)}, inspector ${other.get(at)} ${types}`)
    }
  }
  await check(`graphql-inspector agrees: ${pair.name} (${mine.size} coordinates)`, () => {
    if (wrong.length > 0) throw new Error(wrong.join('\n'))
  })
}
