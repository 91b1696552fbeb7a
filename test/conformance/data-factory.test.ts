// Variants of the wire shapes about data factories (ADF-3, ADF-5, ADF-6): other values of the same keys.

import { expect, it } from 'vitest';
import { behaviourOf } from '../../src/control/model/profile.ts';
import { dataFactoryShapes } from '../../src/conformance/kinds/wire/data-factory.ts';
import { runShapes } from '../../src/conformance/shape.ts';

const publicly = { endpoint: 'public' };

it.each([
  [{ profile: 'adf-2020', dstPorts: [443, 22], service: 'other', ...publicly }, { allowed: [true, false] }],
  [{ profile: 'adf-2024', dstPorts: [443, 1433], service: 'storage', ...publicly }, { allowed: [true, true] }],
  [{ profile: 'ga-2026', dstPorts: [22], service: 'other', ...publicly }, { allowed: [true] }],
  [{ profile: 'pe-2020', dstPorts: [443, 80], service: 'storage', ...publicly }, { allowed: [false, false] }],
  [{ store: 'blob', storeHasPeElsewhere: true, storeAllowsAllNetworks: true, mpe: 'none' }, { reachable: false }],
  [{ store: 'blob', storeHasPeElsewhere: false, mpe: 'none' }, { reachable: true }],
  [{ store: 'dfs', storeHasPeElsewhere: false, storeAllowsAllNetworks: false, mpe: 'none' }, { reachable: false }],
  [{ store: 'sqlDw', storeHasPeElsewhere: true, mpe: 'Approved' }, { reachable: true }],
  [{ store: 'keyVault', storeHasPeElsewhere: true, mpe: 'Pending' }, { reachable: false }],
  [{ store: 'cosmosDb', storeHasPeElsewhere: false, mpe: 'Rejected' }, { reachable: false }],
  [{ store: 'file', storeHasPeElsewhere: false, mpe: 'Disconnected' }, { reachable: false }],
  [{ service: 'adf', mpe: 'Approved', dataSource: 'peIp' }, { login: 'error', sqlError: 40_532 }],
  [{ service: 'adf', mpe: 'Approved', dataSource: 'name' }, { login: 'ok' }],
])('%j gives %j', (input, outcome) => {
  const context = { topology: undefined, behaviour: behaviourOf(), profileGiven: false, questions: undefined };
  expect(runShapes(dataFactoryShapes, { ...context, fields: { input } })).toEqual(outcome);
});
