// The floor program: the least that could answer each request of the bench. Fastify, one named statement, stored text straight out.
// What the server costs beyond this is the price of FHIR; the bench prints the ratio.
import Fastify from 'fastify';
import pg from 'pg';

const [, , url] = process.argv;
const pool = new pg.Pool({ connectionString: url, max: 10 });
const app = Fastify({ bodyLimit: 32 * 1024 * 1024 });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));

const FHIR = 'application/fhir+json; charset=utf-8';
const send = (reply, status, text) => reply.code(status).header('content-type', FHIR).send(text);

let made = 0;
const newId = () => `floor-${process.pid}-${(made += 1)}`;

/** As many tokens as the server makes of the bench's Observation or purchase: two are its own (its identifier), the others two kinds of measure share. */
function tokensOf(id, count) {
  const own = Number(BigInt.asUintN(48, BigInt(id.split('-').at(-1)) * 2_654_435_761n));
  return Array.from({ length: count }, (_, index) => (index < 2 ? own * 2 + index : 1000 + index * 2 + (own % 2)));
}
const TOKENS = Number(process.argv[3] ?? 24);

const INSERT = `insert into observation (id, res, tokens, subject, date)
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as t(id, res, tokens, subject, date)`;
const insert = (ids, texts) =>
  pool.query({
    name: 'create',
    text: INSERT.replace('select *', 'select id, res, tokens::bigint[], subject, date'),
    values: [ids, texts, ids.map((id) => `{${tokensOf(id, TOKENS).join(',')}}`), ids.map(() => `Patient/p${made % 500}`), ids.map(() => Date.now() + made)],
  });

app.get('/plain', (_request, reply) => send(reply, 200, '{"resourceType":"Basic"}'));

app.get('/read/:id', async (request, reply) => {
  const { rows } = await pool.query({ name: 'read', text: 'select res from patient where id = $1', values: [request.params.id] });
  return send(reply, 200, rows[0].res);
});

app.get('/status/:number', async (request, reply) => {
  const { rows } = await pool.query({ name: 'status', text: 'select answer from status where number = $1', values: [request.params.number] });
  return send(reply, 200, rows[0].answer);
});

app.get('/search/:subject', async (request, reply) => {
  const text = 'select res from observation where subject = $1 order by date desc, id desc limit 20';
  const { rows } = await pool.query({ name: 'search', text, values: [`Patient/${request.params.subject}`] });
  return send(reply, 200, `{"resourceType":"Bundle","type":"searchset","entry":[${rows.map((row) => `{"resource":${row.res}}`).join(',')}]}`);
});

app.get('/page/Account/:account/:from/:count', async (request, reply) => {
  const { account, from, count } = request.params;
  const text = 'select res from observation where subject = $1 and date >= $2 order by date, id limit $3';
  const { rows } = await pool.query({ name: 'page', text, values: [`Account/${account}`, from, count] });
  return send(reply, 200, `{"resourceType":"Bundle","type":"searchset","entry":[${rows.map((row) => `{"resource":${row.res}}`).join(',')}]}`);
});

app.post('/create', async (request, reply) => {
  await insert([newId()], [request.body]);
  return send(reply, 201, request.body);
});

app.post('/transaction', async (request, reply) => {
  const texts = JSON.parse(request.body).entry.map((entry) => JSON.stringify(entry.resource));
  await insert(texts.map(newId), texts);
  return send(reply, 200, `{"resourceType":"Bundle","type":"transaction-response","entry":[${texts.map(() => '{"response":{"status":"201"}}').join(',')}]}`);
});

await app.listen({ host: '127.0.0.1', port: 0 });
process.send({ port: app.server.address().port });
process.on('SIGTERM', () => app.close().then(() => pool.end()).then(() => process.exit(0)));
