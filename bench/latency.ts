import type { Part } from './part.ts';
export const latency: Part = async () => ({ text: 'todo', figures: {} });
