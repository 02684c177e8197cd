// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Status } from '../contracts.ts';
import { randomFrom } from '../guard/random-trace.ts';
import { unloggedSwitch } from './reconcile.ts';
import { type FaultKind, LATCHES, type Site, TOLD } from './site.ts';

/** One fault, and how the machine came through it. */
export interface Injection {
  readonly number: number;
  readonly kind: FaultKind;
  /** Policy that was in effect before. */
  readonly under: string;
  /** From the fault until a scheduler works, the daemon answers and tells the truth; ms. Undefined: not within the patience. */
  readonly recoveredMs?: number;
  /** From the fault until EEVDF was back, where it is about that; ms. */
  readonly homeMs?: number;
  /** What was not as it must be at the end of the patience, or afterwards. */
  readonly faults: readonly string[];
}

export interface InjectOptions {
  readonly seed: number;
  readonly count: number;
  readonly patienceMs: number;
  readonly say: (injection: Injection) => void;
}

/** A quarantine and what else follows from a fault end much sooner. */
const SETTLE_MS = 60_000;

/**
 * Makes faults at random moments, one after the other, under random policies, and looks after each what became of the machine. Each kind
 * comes equally often: kinds are dealt from a shuffled deck.
 */
export async function injectFaults(site: Site, options: InjectOptions): Promise<Injection[]> {
  const random = randomFrom(options.seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const injections: Injection[] = [];
  let deck: FaultKind[] = [];
  for (let number = 0; number < options.count; number++) {
    await settle(site, Math.max(options.patienceMs, SETTLE_MS));
    if (deck.length === 0) deck = [...site.kinds];
    const kind = pick(deck);
    deck.splice(deck.indexOf(kind), 1);
    const under = pick(site.policiesFor(kind));
    const why = await site.apply(under);
    if (why !== undefined) throw new Error(`${under} cannot be applied, before fault ${number}: ${why}`);
    await delay(random() * 50);
    const beganNs = site.nowNs();
    const homeMs = await site.inject(kind, random);
    const outcome = await recovery(site, kind, beganNs, options.patienceMs);
    await site.heal(kind);
    const injection = { number, kind, under, ...outcome, ...(homeMs === undefined ? {} : { homeMs }) };
    options.say(injection);
    injections.push(injection);
  }
  return injections;
}

/** Until the daemon runs, is not latched, and nothing is wrong. */
async function settle(site: Site, patienceMs: number): Promise<void> {
  const untilNs = site.nowNs() + patienceMs * 1e6;
  let last = 'no daemon answers';
  while (site.nowNs() < untilNs) {
    const status = await site.status();
    if (status?.mode === 'killed') await site.resume();
    else if (status !== undefined && status.mode === 'running' && status.faults.length === 0) return;
    last = status === undefined ? last : `${status.mode}, ${status.faults.join('; ')}`;
    await delay(20);
  }
  throw new Error(`the machine does not come to rest: ${last}`);
}

async function recovery(
  site: Site,
  kind: FaultKind,
  beganNs: number,
  patienceMs: number,
): Promise<Pick<Injection, 'recoveredMs' | 'faults'>> {
  let faults: string[] = ['nothing was looked at'];
  while (site.nowNs() < beganNs + patienceMs * 1e6) {
    faults = await breaches(site, kind);
    if (faults.length === 0) return { recoveredMs: (site.nowNs() - beganNs) / 1e6, faults };
    await delay(20);
  }
  return { faults };
}

/** What is not as it must be; none when a scheduler works, the daemon says what is, and the journal told of each switch. */
async function breaches(site: Site, kind: FaultKind): Promise<string[]> {
  const status = await site.status();
  if (status === undefined) return ['no daemon answers'];
  const kernel = site.kernel();
  const found = untruths(status, site);
  if (kernel.state !== 'disabled' && kernel.state !== 'enabled' && kernel.state !== 'absent')
    found.push(`sched_ext is ${kernel.state}`);
  const told = TOLD[kind];
  if (told !== undefined && !status.faults.some((fault) => told.test(fault)))
    found.push(`${kind} is not among the faults that it tells: ${status.faults.join('; ')}`);
  if (LATCHES.has(kind) && status.mode !== 'killed') found.push(`the latch is open: ${status.mode}`);
  if (kind === 'stranger' && status.mode !== 'stepped-aside')
    found.push(`it did not step aside: ${status.mode}`);
  if (found.length > 0) return found;
  if (!(await site.works())) return ['a task that wants a CPU gets none'];
  const unlogged = unloggedSwitch(await site.journal(), site.enabled(), (policy) =>
    site.policies.get(policy),
  );
  return unlogged === undefined ? [] : [unlogged];
}

/** Where the daemon's words and the kernel's differ. */
function untruths({ policy, mode, kernel: told }: Status, site: Site): string[] {
  const { state, ops } = site.kernel();
  const expected = site.policies.get(policy);
  const found: string[] = [];
  if (told.state !== state || told.ops !== ops)
    found.push(
      `it says that sched_ext is ${told.state} ${told.ops ?? ''}, and that is ${state} ${ops ?? ''}`,
    );
  if (expected === undefined && state !== 'disabled' && mode !== 'stepped-aside')
    found.push(`it says ${policy}, and the kernel runs ${ops}`);
  if (expected !== undefined && (state !== 'enabled' || ops !== expected))
    found.push(`it says ${policy}, and the kernel says ${state} ${ops ?? ''}`);
  const amiss = site.amiss(policy);
  return amiss === undefined ? found : [...found, `it says ${policy}, and ${amiss}`];
}
