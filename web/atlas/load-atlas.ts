import { type Atlas, readAtlas } from './atlas-data.ts';

/** Content of atlas-data.js, for a page that a browser opened from disk, where files cannot be fetched. */
interface EmbeddedAtlas {
  readonly manifest: unknown;
  /** atlas.parquet, base64. */
  readonly table: string;
}

/** @throws {Error} in words, when files are missing, damaged or of another version. */
export async function loadAtlas(): Promise<Atlas> {
  const { manifest, table } = location.protocol === 'file:' ? await embedded() : await fetched();
  return readAtlas(manifest, table);
}

async function fetched(): Promise<{ manifest: unknown; table: ArrayBuffer }> {
  const file = async (name: string) => {
    const response = await fetch(name);
    if (!response.ok) throw new Error(`${name}: the file server answers ${response.status}`);
    return response;
  };
  const [manifest, table] = await Promise.all([file('atlas.json'), file('atlas.parquet')]);
  return { manifest: await manifest.json(), table: await table.arrayBuffer() };
}

async function embedded(): Promise<{ manifest: unknown; table: ArrayBuffer }> {
  const script = document.createElement('script');
  script.src = 'atlas-data.js';
  await new Promise<void>((resolve, reject) => {
    script.onload = () => resolve();
    script.onerror = () => reject(new Error('atlas-data.js is missing beside this page'));
    document.head.append(script);
  });
  const { manifest, table } = (globalThis as unknown as { dropframeAtlas: EmbeddedAtlas }).dropframeAtlas;
  const bytes = Uint8Array.from(atob(table), (character) => character.charCodeAt(0));
  return { manifest, table: bytes.buffer };
}
