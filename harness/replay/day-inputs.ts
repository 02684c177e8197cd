// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../core/catalog.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { readNamedFile } from '../core/file-parameter.ts';
import { shortDigest } from '../core/ids.ts';
import { GUEST_RUNTIME } from '../core/runtime-parts.ts';
import { type Arm, hasDaemon } from './arms.ts';
import type { Day } from './day.ts';
import { CODE_ROOT, DAEMON_ENTRY, packDaemon } from './guest-code.ts';
import { guestPlan, type Helper } from './guest-plan.ts';
import { PLAN_PATH } from './replay-plan.ts';

/** A file that the guest finds before its run begins. */
export interface GuestFile {
  readonly path: string;
  readonly content: Buffer;
}

/** All that the guests of a replay are handed. */
export interface DayInputs {
  /** By what it is; the same replay has the same digests. */
  readonly digests: Readonly<Record<string, string>>;
  /** Files of an arm's trial; `switches` are the oracle's. */
  filesOf(arm: Arm, switches?: Readonly<Record<string, string>>): readonly GuestFile[];
}

const PLACES = {
  boot: '/run/day-boot.mjs',
  code: '/run/day-code.json',
  map: '/run/day-map.db',
  config: '/run/day-config.yaml',
  journal: '/run/pmvx/journal.jsonl',
  socket: '/run/pmvx/autotune.sock',
  state: '/run/pmvx',
  queue: '/run/pmvx/queue.jsonl',
} as const;
/** The longest window that the daemon takes: where it is told what to apply none ends, so that nothing is sensed or asked. */
const ENDLESS_MS = 60_000;

export interface InputOptions {
  readonly root: string;
  readonly day: Day;
  readonly arms: readonly Arm[];
  readonly catalog: Catalog;
  /** The policy map, a file; absent when no arm asks one. */
  readonly map?: Buffer;
}

export function dayInputs({ root, day, arms, catalog, map }: InputOptions): DayInputs {
  const policies = arms.flatMap(({ kind, id }) => (kind === 'static' ? [id] : []));
  if (policies.length + day.madeUp.length === 0 && arms.some(({ kind }) => kind === 'auto')) {
    throw new PmvxError(ExitCode.usage, {
      where: '--arms',
      what: 'the daemon has nothing to choose from',
      next: 'Add static:POLICY for each policy that it may choose',
    });
  }
  const code = Buffer.from(packDaemon(root, policies, day));
  const boot = readFileSync(join(root, 'harness/replay/guest/boot.mjs'));
  const plan = guestPlan(day, catalog);
  const files = plan.files.map(({ path, value }) => ({ path, content: readNamedFile(value) }));
  const configs = { auto: config(day, policies, {}), told: config(day, policies, TOLD) };
  const helped = (arm: Arm) => hasDaemon(arm, day.machine.engine);
  return {
    digests: {
      plan: shortDigest(plan.text),
      ...(arms.some(helped)
        ? { code: shortDigest(Buffer.concat([code, boot])), config: shortDigest(configs.auto) }
        : {}),
      ...(map === undefined ? {} : { map: shortDigest(map) }),
    },
    filesOf(arm, switches = {}) {
      const text = (helper?: Helper) => Buffer.from(guestPlan(day, catalog, helper).text);
      if (!helped(arm)) return [{ path: PLAN_PATH, content: text() }, ...files];
      const asks = Object.fromEntries(
        Object.entries(switches).map(([phase, policy]) => [
          phase,
          JSON.stringify({ id: 1, method: 'apply', params: { policy } }),
        ]),
      );
      const helper = {
        auto: HELPER,
        oracle: { ...HELPER, asks },
        static: { ...HELPER, argv: [...HELPER.argv, arm.id] },
        eevdf: undefined,
      }[arm.kind];
      return [
        { path: PLAN_PATH, content: text(helper) },
        { path: PLACES.boot, content: boot },
        { path: PLACES.code, content: code },
        { path: PLACES.config, content: Buffer.from(arm.kind === 'auto' ? configs.auto : configs.told) },
        { path: PLACES.map, content: map ?? Buffer.alloc(0) },
        ...files,
      ];
    },
  };
}

const HELPER: Helper = {
  argv: [
    // The priority that the unit gives it, for all of its threads: a policy that starves ordinary tasks must not starve who would take
    // it away. With --reset-on-fork those that sync the journal would be ordinary.
    '/usr/bin/chrt',
    '--rr',
    '1',
    `${GUEST_RUNTIME}/bin/node`,
    '--no-warnings',
    PLACES.boot,
    PLACES.code,
    DAEMON_ENTRY,
    PLACES.map,
    PLACES.config,
    PLACES.journal,
    PLACES.socket,
    PLACES.state,
  ],
  socket: PLACES.socket,
  reports: [PLACES.journal, PLACES.queue],
};

const TOLD = { windowMs: ENDLESS_MS, probes: ['io'], unguarded: true };

/** The daemon's configuration: the day's own, and what the machine and its places are. JSON is YAML. */
function config(day: Day, policies: readonly string[], changes: Readonly<Record<string, unknown>>): string {
  const { engine, speed } = day.machine;
  const machine = engine === 'exact' ? { engine, cpu: `${speed} MIPS` } : { engine };
  // What a daemon that was killed leaves set on a host nobody would put back: its notes are gone with the day.
  const host = engine === 'native' ? { expedite: false } : {};
  return JSON.stringify({
    ...day.autotune,
    policies: [...policies, ...day.madeUp],
    machine,
    queue: PLACES.queue,
    places: { objects: `${CODE_ROOT}/objects`, probes: `${CODE_ROOT}/probes` },
    ...host,
    ...changes,
  });
}
