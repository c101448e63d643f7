// The sql tag: text and values, composed.
import fc from 'fast-check';
import { sql, type Sql } from '../../src/db/sql.js';

test('values become numbered parameters', () => {
  const statement = sql`select ${1} where a = ${'x'}`;
  expect(statement.text).toBe('select $1 where a = $2');
  expect(statement.values).toEqual([1, 'x']);
});

test('pieces nest, and are numbered anew where they stand', () => {
  const condition = sql`b = ${2} and c = ${3}`;
  const statement = sql`select ${1} where ${condition} limit ${4}`;
  expect(statement.text).toBe('select $1 where b = $2 and c = $3 limit $4');
  expect(statement.values).toEqual([1, 2, 3, 4]);
  expect(condition.text).toBe('b = $1 and c = $2');
});

test('raw text and identifiers go in as they are, quoted where they are names', () => {
  const statement = sql`select 1 from ${sql.identifier('fhir', 'Pat"ient')} ${sql.raw('limit 1')}`;
  expect(statement.text).toBe('select 1 from "fhir"."Pat""ient" limit 1');
  expect(statement.values).toEqual([]);
});

test('join puts the separator between pieces only', () => {
  const statement = sql`(${sql.join([sql`a = ${1}`, sql`b`, sql`${2}`], ' or ')})`;
  expect(statement.text).toBe('(a = $1 or b or $2)');
  expect(statement.values).toEqual([1, 2]);
  expect(sql.join([]).text).toBe('');
});

test('a name makes it a named statement', () => {
  expect(sql`select ${1}`.named('one')).toEqual({ name: 'one', text: 'select $1', values: [1] });
});

test('an array is one value', () => {
  expect(sql`= any(${[1, 2]})`.values).toEqual([[1, 2]]);
});

test('however pieces are nested, the numbers run from 1 in order and meet their values', () => {
  const { tree } = fc.letrec<{ tree: Sql; leaf: Sql; pair: Sql }>((tie) => ({
    tree: fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('pair')),
    leaf: fc.oneof(
      fc.integer().map((value) => sql`v${value}`),
      fc.constant(sql.raw('r')),
    ),
    pair: fc.tuple(tie('tree'), fc.integer(), tie('tree')).map(([left, value, right]) => sql`(${left} ${value} ${right})`),
  }));
  fc.assert(
    fc.property(tree, ({ text, values }) => {
      const numbers = [...text.matchAll(/\$(\d+)/g)].map((match) => Number(match[1]));
      expect(numbers).toEqual(values.map((_value, at) => at + 1));
    }),
  );
});
