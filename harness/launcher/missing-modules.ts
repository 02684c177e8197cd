// SPDX-License-Identifier: Apache-2.0

/** What package-lock.json says of one folder; npm writes `os`, `cpu` and `libc` as a word or as a list. */
export interface LockedModule {
  readonly version?: string;
  /** Where a link leads to. */
  readonly resolved?: string;
  readonly link?: boolean;
  /** Of the root: folders of its own packages, each a link in node_modules. */
  readonly workspaces?: readonly string[];
  readonly os?: string | readonly string[];
  readonly cpu?: string | readonly string[];
  readonly libc?: string | readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export type LockedModules = Readonly<Record<string, LockedModule>>;

export interface Platform {
  readonly os: string;
  readonly cpu: string;
  readonly libc: string;
}

/**
 * One line for each module that the lock names, this platform takes and `installed` has in no or another version. npm
 * leaves optional modules out in silence when it thinks that they do not fit, so its exit code proves nothing.
 */
export function missingModules(
  locked: LockedModules,
  platform: Platform,
  installed: (folder: string) => string | undefined,
): string[] {
  return reachable(locked, platform).flatMap((folder) => {
    const { version } = locked[folder] as LockedModule;
    const found = installed(folder);
    if (found === undefined) return [`${folder} ${version ?? ''} is not installed`.replace('  ', ' ')];
    return version === undefined || found === version ? [] : [`${folder} is ${found}, not ${version}`];
  });
}

/** What the root needs, directly or through others, its workspaces too; a module of another platform needs nothing. */
function reachable(locked: LockedModules, platform: Platform): string[] {
  const seen = new Set<string>(['', ...workspaceLinks(locked)]);
  for (const folder of seen) {
    const here = locked[folder] as LockedModule;
    if (here.link === true && here.resolved !== undefined && here.resolved in locked) seen.add(here.resolved);
    const names = Object.keys({
      ...here.dependencies,
      ...here.optionalDependencies,
      ...here.peerDependencies,
      ...(folder === '' ? here.devDependencies : {}),
    });
    for (const name of names) {
      const found = resolveModule(locked, folder, name);
      if (found !== undefined && fits(locked[found] as LockedModule, platform)) seen.add(found);
    }
  }
  seen.delete('');
  return [...seen];
}

function workspaceLinks(locked: LockedModules): string[] {
  const folders = locked['']?.workspaces ?? [];
  return Object.keys(locked).filter((folder) => {
    const { link, resolved } = locked[folder] as LockedModule;
    return link === true && resolved !== undefined && folders.includes(resolved);
  });
}

/** As Node looks for it: in the folder's own node_modules, then in those above it. */
function resolveModule(locked: LockedModules, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (candidate in locked) return candidate;
    if (folder === '') return undefined;
  }
}

function fits(module: LockedModule, platform: Platform): boolean {
  return (
    allows(module.os, platform.os) && allows(module.cpu, platform.cpu) && allows(module.libc, platform.libc)
  );
}

/** A list of names, or of names with `!` that are not meant. */
function allows(rule: string | readonly string[] | undefined, value: string): boolean {
  const list = rule === undefined ? [] : typeof rule === 'string' ? [rule] : rule;
  if (list.includes(`!${value}`)) return false;
  const named = list.filter((each) => !each.startsWith('!'));
  return named.length === 0 || named.includes(value) || named.includes('any');
}
