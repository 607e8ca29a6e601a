// Run by a test inside a network namespace whose loopback interface has a small MTU: sends runs of full datagrams and
// prints how many came, their lengths and ECN bits, and how many were refused.
import { DatagramSocket } from '../../../io/net/datagram-socket.ts';
import { ECT_0, type Ecn } from '../../../protocol/ecn.ts';

const LIMIT = 1_200;
const received: number[] = [];
const marks = new Set<Ecn | undefined>();
let refused = 0;
const sender = await DatagramSocket.open({
  host: '127.0.0.1',
  port: 0,
  lengths: { fullBytes: LIMIT, bytesMax: LIMIT },
  onDatagram: () => {},
  onRefused: (datagrams) => {
    refused += datagrams;
  },
});
const receiver = await DatagramSocket.open({
  host: '127.0.0.1',
  port: 0,
  peer: { host: '127.0.0.1', port: sender.port },
  lengths: { fullBytes: LIMIT, bytesMax: LIMIT },
  readsEcn: true,
  onDatagram: (datagram, _from, ecn) => {
    received.push(datagram.length);
    marks.add(ecn);
  },
});
const to = { host: '127.0.0.1', port: receiver.port };
const batch = (count: number) => Array.from({ length: count }, () => new Uint8Array(LIMIT).fill(1));
let sent = 0;
for (const count of [1, 10, 1, 20]) {
  sender.send(batch(count), to, undefined, ECT_0);
  sent += count;
  // A batch that the kernel refuses is sent one by one afterwards; the time limit of the test ends a wait in vain.
  while (received.length + refused < sent) await new Promise((resolve) => setTimeout(resolve, 5));
}
console.log(JSON.stringify({ received: received.length, bytes: [...new Set(received)], marks: [...marks], refused }));
receiver.close();
sender.close();
