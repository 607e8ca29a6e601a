import type { Part } from './part.ts';
export const simulation: Part = async () => ({ text: 'todo', figures: {} });
