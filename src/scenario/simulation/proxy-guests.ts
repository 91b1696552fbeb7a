// Backends that expect a PROXY header on their connections (PLS-15): what a guest serves stands behind the header.

import { expectProxyHeader } from '../../guest/proxy-protocol.ts';
import type { Accept } from '../../guest/proxy-protocol.ts';
import { trafficService } from '../../guest/traffic-service.ts';
import type { ExtrasOf } from './guest-extras.ts';

export const proxyExtras: ExtrasOf = ({ settings }, _world, given) =>
  settings.proxyProtocol === true ? { accept: expectProxyHeader(given.accept ?? traffic()) } : {};

function traffic(): Accept {
  const serve = trafficService();
  return (connection) => ({ onData: (data) => serve(connection, data) });
}
