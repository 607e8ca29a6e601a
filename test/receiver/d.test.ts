import { Stage, packets } from '/work/main/test/receiver/stage.ts';
const stage = new Stage({ recovery: 'reorder' });
stage.arrive(0, ...packets({ frame: 0, count: 3 }).slice(0, 1)).until(130);
stage.arrive(140, ...packets({ frame: 0, count: 3 }).slice(1));
stage.arrive(160, ...packets({ frame: 1, count: 3 })).until(400);
console.log(stage.told, stage.receiver.statistics);
