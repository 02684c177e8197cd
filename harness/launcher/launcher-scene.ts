// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import type { ExecutionContext } from 'ava';

const ROOT = resolve(import.meta.dirname, '../..');

/** What the launcher may use of the real system. */
const REAL = 'bash cat chmod cp cut df env flock grep head mkdir mv readlink rm sha256sum tail'.split(' ');

/** A stand-in for npm: logs how it was called and installs what the launcher looks at. */
const NPM = `
echo "npm \${PWD#$SCENE/} $*" >>"$SCENE/log"
[[ -z \${NPM_WORDS:-} ]] || { echo "$NPM_WORDS"; exit 1; }
mkdir -p node_modules/NODE/bin node_modules/npm/bin
cp -P "$SCENE/node" node_modules/NODE/bin/node
echo '{ "version": "1.0.0" }' >node_modules/NODE/package.json
cat >node_modules/npm/bin/npm-cli.js <<'END'
const { execFileSync } = require('node:child_process');
execFileSync('bash', [process.env.SCENE + '/npm-stage-2', ...process.argv.slice(2)], { stdio: 'inherit' });
END
`.replaceAll('NODE', `node-linux-${process.arch}`);

/** The same for the pinned npm; stops at a sign when told to. */
const NPM_STAGE_2 = `
rm -rf node_modules
while [[ -e "$SCENE/hold" ]]; do :; done
${NPM}
echo '{}' >node_modules/.package-lock.json
rm -rf node_modules/"\${NPM_LEAVES_OUT:-none}"
`;

const APT_GET = `
echo "apt-get $*" >>"$SCENE/log"
[[ " $* " == *" update"* ]] && { : >"$SCENE/lists"; exit 0; }
[[ -z \${APT_WORDS:-} ]] || { echo "$APT_WORDS"; exit 100; }
for package; do
  case $package in
    uidmap) program=newuidmap ;; nodejs) program=node ;; *) program=$package ;;
  esac
  [[ ! -e "$SCENE/shelf/$program" ]] || mv "$SCENE/shelf/$program" "$SCENE/bin/$program"
done
`;

const FAKES: Readonly<Record<string, string>> = {
  npm: NPM,
  'apt-get': APT_GET,
  'apt-cache': '[[ -e "$SCENE/lists" ]]',
  sudo: '[[ $1 != --non-interactive ]] || shift\nexec "$@"',
  ...Object.fromEntries(
    'node mmdebstrap tar mount unshare setpriv newuidmap gcc clang git Rscript slurmctld slurmd sbatch munged slurmdbd mariadbd ip'
      .split(' ')
      .map((name) => [name, 'exit 1']),
  ),
};

const CLI = `
process.stdout.write(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() }) + '\\n');
if (process.env.CLI_WAITS) process.stdin.resume();
`;

/** A stand-in: the image is up to date when a file says so. */
const IS_THERE = `
import { existsSync } from 'node:fs';
process.exitCode = existsSync(process.env.SCENE + '/up-to-date') ? 0 : 1;
`;

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A copy of the launcher in a machine of its own: it sees no program but those put on its PATH. */
export class LauncherScene {
  readonly folder: string;
  readonly project: string;

  constructor(folder: string) {
    this.folder = folder;
    this.project = join(folder, 'project');
  }

  /** With the named stand-ins moved from PATH to the shelf, from which the stand-in for apt-get takes them. */
  static async open(t: ExecutionContext, absent: readonly string[] = []): Promise<LauncherScene> {
    const scene = new LauncherScene(await mkdtemp(join(tmpdir(), 'pmvx-launcher-')));
    t.teardown(() => rm(scene.folder, { recursive: true, force: true }));
    const { folder, project } = scene;
    for (const name of ['bin', 'shelf', 'elsewhere']) await mkdir(join(folder, name));
    for (const name of REAL) await symlink(realProgram(name), join(folder, 'bin', name));
    for (const [name, text] of Object.entries(FAKES)) {
      await writeProgram(join(folder, absent.includes(name) ? 'shelf' : 'bin', name), text);
    }
    await symlink(process.execPath, join(folder, 'node'));
    await writeProgram(join(folder, 'npm-stage-2'), NPM_STAGE_2);
    await mkdir(join(project, 'harness'), { recursive: true });
    await cp(join(ROOT, 'pmvx'), join(project, 'pmvx'));
    await cp(import.meta.dirname, join(project, 'harness/launcher'), { recursive: true });
    await writeFile(join(project, 'harness/cli.ts'), CLI);
    for (const name of ['builder', 'recipes'])
      await mkdir(join(project, 'vm-images', name), { recursive: true });
    await writeFile(join(project, 'vm-images/builder/image-is-there.ts'), IS_THERE);

    await writeFile(join(project, 'vm-images/recipes/quick.yaml'), '');
    await writeFile(join(project, 'package.json'), '{ "type": "module" }');
    await scene.lockModules({});
    return scene;
  }

  /** Writes a package-lock.json that names these modules besides Node. */
  async lockModules(modules: Readonly<Record<string, { readonly version: string }>>): Promise<void> {
    const all = { [`node-linux-${process.arch}`]: { version: '1.0.0' }, ...modules };
    const names = Object.fromEntries(Object.keys(all).map((name) => [name, '*']));
    const folders = Object.entries(all).map(([name, module]) => [`node_modules/${name}`, module]);
    const packages = { '': { dependencies: names }, ...Object.fromEntries(folders) };
    await writeFile(join(this.project, 'package-lock.json'), JSON.stringify({ packages }));
  }

  /** Keeps an image of the recipe `quick`, as the project asks for it now or an older one. */
  async keepImage(upToDate: boolean): Promise<void> {
    await mkdir(join(this.folder, '.cache/pmvx/images/quick-0123456789abcdef'), { recursive: true });
    if (upToDate) await writeFile(join(this.folder, 'up-to-date'), '');
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    return this.#spawn(join(this.project, 'pmvx'), args, env);
  }

  pmvx(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const child = this.start(args, env);
    child.stdin?.end();
    return ended(child);
  }

  /** The same on a terminal, where somebody types `answer`. */
  onTerminal(args: readonly string[], answer: string): Promise<Ended> {
    const command = [join(this.project, 'pmvx'), ...args].join(' ');
    const child = this.#spawn(realProgram('script'), ['-qec', command, '/dev/null'], { SHELL: '/bin/sh' });
    child.stdout?.on('data', (chunk) => {
      if (String(chunk).includes('[y/N]')) child.stdin?.write(`${answer}\n`);
    });
    return ended(child);
  }

  /** What the stand-ins for npm and apt-get were asked. */
  async calls(): Promise<string[]> {
    const path = join(this.folder, 'log');
    return existsSync(path) ? (await readFile(path, 'utf8')).trim().split('\n') : [];
  }

  #spawn(program: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    return spawn(program, args, {
      cwd: join(this.folder, 'elsewhere'),
      env: { PATH: join(this.folder, 'bin'), HOME: this.folder, SCENE: this.folder, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
  }
}

/** Waits for the end of a process, with all it has printed. */
export async function ended(child: ChildProcess): Promise<Ended> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk) => (out += chunk));
  child.stderr?.on('data', (chunk) => (err += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

async function writeProgram(path: string, text: string): Promise<void> {
  await writeFile(path, `#!${realProgram('bash')}\n${text}\n`);
  await chmod(path, 0o755);
}

function realProgram(name: string): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} is not on PATH`);
  return found;
}
