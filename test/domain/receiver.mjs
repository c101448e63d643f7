// A hospital's receiver of notifications, in a process of its own: checks each signature against the server's published keys
// and keeps what it took in a file. Usage: node receiver.mjs <port> <file> <url of the JWK Set>
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRemoteJWKSet, flattenedVerify } from 'jose';

const [port, file, jwks] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(jwks));

async function take(request, body) {
  const [header, , signature] = String(request.headers['x-entitle-signature']).split('.');
  const payload = Buffer.from(body).toString('base64url');
  const { protectedHeader } = await flattenedVerify({ protected: header, payload, signature }, keys);
  if (protectedHeader.htm !== request.method || new URL(protectedHeader.htu).pathname !== request.url) throw new Error('signed for another request');
  const { url, method, headers } = request;
  // A line of its own also after one that a kill cut short: that one was not answered, and comes again.
  appendFileSync(file, `\n${JSON.stringify({ method, url, headers, body, jti: protectedHeader.jti })}\n`);
}

createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    take(request, Buffer.concat(chunks).toString('utf8')).then(
      () => response.writeHead(204).end(),
      (error) => response.writeHead(401).end(String(error)),
    );
  });
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
