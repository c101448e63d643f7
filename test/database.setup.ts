// Jest's globalSetup. It runs outside jest's module system, which maps `./x.js` to x.ts for the tests, so it does that itself.
import Module from 'node:module';

const loader = Module as unknown as { _resolveFilename(request: string, ...rest: readonly unknown[]): string };

export default async function setup(): Promise<void> {
  const resolve = loader._resolveFilename.bind(loader);
  loader._resolveFilename = (request, ...rest) => {
    try {
      return resolve(request, ...rest);
    } catch (error) {
      if (!/^\.{1,2}\/.*\.js$/.test(request)) throw error;
      return resolve(request.replace(/\.js$/, '.ts'), ...rest);
    }
  };
  try {
    const { prepareServer } = await import('./database.server.js');
    await prepareServer();
  } finally {
    loader._resolveFilename = resolve;
  }
}
