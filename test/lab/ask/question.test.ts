import { expect, test } from 'vitest';
import { readQuestion } from '../../../lab/ask/question.ts';
import { parseScenario } from '../../../lab/scenario.ts';

test('a question is the scenario with the product of its lists', () => {
  const question = readQuestion('hybrid nack,tcp-bbr', ['loss=1%,0.02', 'rtt=20,80', 'budget=100..400/150']);
  expect(question).toMatchObject({
    question: 'hybrid nack tcp-bbr loss=1%,0.02 rtt=20,80 budget=100..400/150',
    strategies: ['hybrid', 'nack', 'tcp-bbr'],
    link: {
      forward: ['loss=1% delay=10ms', 'loss=1% delay=40ms', 'loss=2% delay=10ms', 'loss=2% delay=40ms'],
      back: ['loss=1% delay=10ms', 'loss=1% delay=40ms', 'loss=2% delay=10ms', 'loss=2% delay=40ms'],
    },
    budgetsMs: [100, 250, 400],
  });
  expect(parseScenario(JSON.stringify(question), 'ask').strategies).toHaveLength(3);
});

test('a second path is one for all links, and strategies over two paths ask for it', () => {
  const words = ['rtt=20,80', 'second=loss=1% delay=40ms'];
  const question = readQuestion('paths-split hybrid', words);
  expect(question.link.second).toEqual({ forward: ['loss=1% delay=40ms'] });
  expect(parseScenario(JSON.stringify(question), 'ask').strategies).toEqual(['paths-split', 'hybrid']);
  expect(readQuestion('hybrid', []).link).not.toHaveProperty('second');
  expect(() => readQuestion('hybrid paths-split', ['rtt=20'])).toThrow(
    'paths-split runs over two paths: give the other one as second=…',
  );
});

test('a question names the end hosts', () => {
  expect(readQuestion('nack', ['host=linux-6.18']).host).toBe('linux-6.18');
  expect(readQuestion('nack', []).host).toBeUndefined();
});

test('the link back has no bottleneck, and a burst needs a loss', () => {
  const { link } = readQuestion('none', ['loss=0%,3%', 'burst=1,4', 'rate=4mbit', 'queue=300ms', 'jitter=5']);
  expect(link.forward).toEqual([
    'delay=20ms jitter=5ms rate=4mbit queue=300ms',
    'loss=3% delay=20ms jitter=5ms rate=4mbit queue=300ms',
    'loss=3% burst=4 delay=20ms jitter=5ms rate=4mbit queue=300ms',
  ]);
  expect(link.back).toEqual([
    'delay=20ms jitter=5ms',
    'loss=3% delay=20ms jitter=5ms',
    'loss=3% burst=4 delay=20ms jitter=5ms',
  ]);
});

test('whole links and films stand for the words that describe them', () => {
  const { link, source } = readQuestion('nack', ['link=preset=wifi-lossy', 'link=loss=1% delay=20ms', 'file=film.mp4']);
  expect(link).toEqual({ forward: ['preset=wifi-lossy', 'loss=1% delay=20ms'], back: undefined });
  expect(source).toEqual([{ file: 'film.mp4' }]);
});

test.each([
  ['hybird', [], /strategy 'hybird': did you mean "hybrid"\?/],
  ['', [], /expected strategies: none, /],
  ['x', [], /strategy 'x': expected one of none, (?!.*kernel).*paths-coded$/],
  ['udp-kernel-nak', [], /strategy 'udp-kernel-nak': expected one of none, (?!.*kernel).*paths-coded$/],
  ['udp-kernel-nack', [], /runs in real time: `dropframe lab run` measures it/],
  ['nack', ['los=1%'], /'los=1%': did you mean "loss"\?/],
  ['nack', ['loss'], /loss: expected lost datagrams both ways, such as 1%, as loss=…/],
  ['nack', ['loss=120%'], /loss: '120%': expected a share below 100 %/],
  ['nack', ['loss=1%', 'loss=2%'], /loss is given twice; separate its values by commas/],
  ['nack', ['rtt=fast'], /rtt: 'fast': expected round-trip time, milliseconds: a number or a range/],
  ['nack', ['budget=400..100/50'], /budget: '400\.\.100\/50': expected a range with a step/],
  ['nack', ['budget=1..9000000/1'], /budget: '1\.\.9000000\/1': at most 1000 values; give a longer step/],
  ['nack', ['burst=0.5', 'loss=1%'], /burst: '0\.5': a run of losses has at least 1 datagram/],
  ['nack', ['fec', 'loss=1%'], /'fec': give the strategies in one argument, as "nack fec"/],
  ['nack', ['queue=100ms'], /queue: give the capacity too/],
  ['nack', ['link=loss=1%', 'rtt=20'], /rtt: link= describes the whole link/],
  ['nack', ['back=loss=1%'], /back: give the forward link too/],
  ['nack', ['file=a.mp4', 'fps=30'], /fps: a film has its own/],
  ['nack', ['host=linux'], /host: 'linux': did you mean "linux-6.18"|host: 'linux': expected one of ideal, linux-6.18/],
  ['nack', ['seconds=5,30'], /seconds: a question has one length/],
  ['nack', ['host=ideal,linux-6.18'], /host: a question has one profile/],
])('explains a mistake in one line: %s %j', (strategies, words, message) => {
  expect(() => readQuestion(strategies, words)).toThrow(message);
});
