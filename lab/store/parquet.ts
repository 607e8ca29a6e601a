import { parquetReadObjects } from 'hyparquet';
import {
  type ColumnSource,
  fileWriter,
  ParquetWriter,
  parquetWriteBuffer,
  schemaFromColumnData,
} from 'hyparquet-writer';
import type { ColumnKind, TableValue } from './columns.ts';

type Columns<Row extends object> = { readonly [Name in keyof Row]-?: ColumnKind };

const TYPES = { text: 'STRING', whole: 'INT64', real: 'DOUBLE' } as const;
/** Rows per row group: a few megabytes each. */
const GROUP_ROWS = 65_536;

/**
 * Encodes a table as a Parquet file. Integers are INT64, other numbers DOUBLE (with `Infinity`); absent values are
 * null.
 */
export function parquet<Row extends object>(columns: Columns<Row>, rows: readonly Row[]): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({ columnData: columnData(columns, rows), rowGroupSize: GROUP_ROWS }));
}

/** Writes a table too large for memory, part by part. @returns the number of rows. */
export async function writeParquet<Row extends object>(
  path: string,
  columns: Columns<Row>,
  parts: AsyncIterable<readonly Row[]>,
): Promise<number> {
  const schema = schemaFromColumnData({ columnData: columnData(columns, []) });
  const writer = new ParquetWriter({ writer: fileWriter(path), schema });
  let rows = 0;
  for await (const part of parts) {
    if (part.length === 0) continue;
    await writer.write({ columnData: columnData(columns, part), rowGroupSize: GROUP_ROWS });
    rows += part.length;
  }
  await writer.finish();
  return rows;
}

/** Decodes the rows of a file written by this module. @throws when it is damaged. */
export async function parseParquet<Row extends object>(bytes: Uint8Array): Promise<Row[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const rows = await parquetReadObjects({ file });
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      if (typeof value === 'bigint') row[name] = Number(value);
      else if (value === undefined) row[name] = null;
    }
  }
  return rows as Row[];
}

function columnData<Row extends object>(columns: Columns<Row>, rows: readonly Row[]): ColumnSource[] {
  return (Object.entries(columns) as [keyof Row & string, ColumnKind][]).map(([name, kind]) => {
    const data = rows.map((row) => {
      const value = row[name] as TableValue;
      return kind === 'whole' && value !== null ? BigInt(value) : value;
    });
    return { name, data, type: TYPES[kind], nullable: true };
  });
}
