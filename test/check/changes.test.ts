import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { changesFileSchema, changesJsonSchema } from '../../src/check/changes.js';

describe('the schema of a file of changes', () => {
  test('requires a base and changes', () => {
    const file = { expect: 'exact', base: 'stage-00.yaml', changes: {} };
    expect(changesFileSchema.safeParse(file).success).toBe(true);
    for (const key of Object.keys(file)) {
      const { [key]: _omitted, ...others } = file as Record<string, unknown>;
      expect(changesFileSchema.safeParse(others).success).toBe(false);
    }
    expect(changesFileSchema.safeParse({ ...file, trace: {} }).success).toBe(false);
  });

  test('is shipped as JSON Schema, draft-07', () => {
    const shipped: unknown = JSON.parse(readFileSync('schemas/changes.schema.json', 'utf8'));
    expect(shipped).toEqual(changesJsonSchema());
    expect(shipped).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#' });
  });
});
