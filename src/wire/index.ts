// Everything that reads or writes bytes of frames, in one import. Start with tcp.ts for the form of an accessor,
// parse.ts and build.ts for whole frames.
export * from './address.ts';
export * from './address6.ts';
export * from './arp.ts';
export * from './build.ts';
export * from './checksum.ts';
export * from './describe.ts';
export * from './ethernet.ts';
export * from './five-tuple.ts';
export * from './icmp.ts';
export * from './ipv4.ts';
export * from './parse.ts';
export * from './tcp.ts';
export * from './udp.ts';
