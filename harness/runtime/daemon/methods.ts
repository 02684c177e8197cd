// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { didYouMean } from '../../core/nearest.ts';
import type {
  ControlErrorCode,
  ControlMethods,
  GuardRule,
  JournalLine,
  Proposal,
  Status,
  SwitchReport,
} from '../contracts.ts';
import type { Clock } from '../sense/clock.ts';
import type { Daemon } from './daemon.ts';
import { explainLine } from './words.ts';

/** What a caller can act on. */
export class ControlError extends Error {
  readonly code: ControlErrorCode;
  readonly next: string | undefined;

  constructor(code: ControlErrorCode, message: string, next?: string) {
    super(message);
    this.code = code;
    this.next = next;
  }
}

export type Methods = {
  readonly [M in keyof ControlMethods]: (params: unknown) => Promise<ControlMethods[M]['result']>;
};

export interface MethodParts {
  readonly daemon: Daemon;
  readonly clock: Clock;
  /** Policies that can be switched to, by id. */
  readonly policies: ReadonlySet<string>;
  /** Lines of this life, oldest first. */
  readonly recent: () => readonly JournalLine[];
  readonly canLog: () => boolean;
  readonly status: () => Promise<Status>;
  /** Reads map and configuration anew; throws with the first fault, and everything stays as it was. */
  readonly reload: () => Promise<void>;
  readonly unguarded: () => boolean;
}

const none = z.strictObject({}).default({});
const text = z.string().min(1).max(2000);
const ms = z.number().positive().max(86_400_000);
const Params = {
  status: none,
  resume: none,
  reload: none,
  stop: z.strictObject({ why: text.optional() }).default({}),
  rollback: z.strictObject({ why: text.optional() }).default({}),
  decisions: z
    .strictObject({ count: z.int().min(1).max(512).default(20), all: z.boolean().default(true) })
    .prefault({}),
  propose: z.strictObject({
    policy: text,
    reason: text,
    expiresMs: ms.default(60_000),
    holdMs: ms.default(600_000),
  }),
  apply: z.union([z.strictObject({ id: text }), z.strictObject({ policy: text })]),
  explain: z.strictObject({ seq: z.int().min(0).optional() }).default({}),
};

const MOST_PROPOSALS = 32;
const PROPOSALS_A_MINUTE = 30;

/** The methods of the control socket. */
export function controlMethods(parts: MethodParts): Methods {
  const { daemon, clock, policies, recent, status } = parts;
  const proposals = new Map<string, Proposal & { readonly expiresNs: number }>();

  /** Each proposal is a line of the journal: whoever floods it would have older lines rotate away. */
  let minuteNs = Number.NEGATIVE_INFINITY;
  let inMinute = 0;
  const admit = (nowNs: number): void => {
    if (nowNs - minuteNs >= 60e9) {
      minuteNs = nowNs;
      inMinute = 0;
    }
    if (proposals.size >= MOST_PROPOSALS) {
      throw new ControlError(
        'refused',
        `${proposals.size} proposals wait already, the most there may be`,
        'Apply one, or wait until they expire',
      );
    }
    if (inMinute >= PROPOSALS_A_MINUTE) {
      throw new ControlError(
        'refused',
        `there were ${inMinute} proposals within a minute, the most there may be`,
        'Wait a minute',
      );
    }
    inMinute++;
  };

  const knownPolicy = (policy: string): void => {
    if (policies.has(policy)) return;
    throw new ControlError(
      'unknown-policy',
      `${policy} is no policy that can be used here`,
      didYouMean(policy, [...policies]),
    );
  };

  const applyInput = (policy: string, unguarded: boolean, holdMs?: number) => ({
    kind: 'apply' as const,
    policy,
    unguarded,
    ...(holdMs === undefined ? {} : { holdMs }),
    canLog: parts.canLog(),
    nowNs: clock.nowNs(),
  });

  const applied = async (policy: string, unguarded: boolean, why: string, holdMs?: number) => {
    const line = await daemon.serial(() =>
      daemon.decide(applyInput(policy, unguarded, holdMs), 'switched', `apply ${policy}: ${why}`),
    );
    return done(line);
  };

  return {
    status: async (given) => {
      read(Params.status, given);
      return status();
    },
    stop: async (given) => {
      const { why } = read(Params.stop, given);
      await daemon.killNow(why ?? 'pmvx autotune stop');
      return status();
    },
    resume: async (given) => {
      read(Params.resume, given);
      await daemon.serial(() => daemon.resume());
      return status();
    },
    reload: async (given) => {
      read(Params.reload, given);
      try {
        await parts.reload();
      } catch (error) {
        throw new ControlError(
          'refused',
          (error as Error).message,
          'Mend it and reload; until then everything stays as it was',
        );
      }
      return status();
    },
    decisions: async (given) => {
      const { count, all } = read(Params.decisions, given);
      return recent()
        .filter(
          (line) => all || line.kind === 'event' || (line.kind === 'decision' && line.action.kind !== 'stay'),
        )
        .slice(-count);
    },
    propose: async (given) => {
      const { policy, reason, expiresMs, holdMs } = read(Params.propose, given);
      knownPolicy(policy);
      const verdict = daemon.ask(applyInput(policy, false, holdMs));
      const nowNs = clock.nowNs();
      for (const [id, { expiresNs }] of proposals) if (expiresNs < nowNs) proposals.delete(id);
      admit(nowNs);
      const at = clock.stamp();
      const proposal: Proposal = {
        id: randomBytes(6).toString('hex'),
        policy,
        reason,
        at,
        expires: new Date(Date.parse(at) + expiresMs).toISOString(),
        holdMs,
        allowed: verdict.rule === 'applied',
        rule: verdict.rule,
        because: verdict.because,
      };
      proposals.set(proposal.id, { ...proposal, expiresNs: nowNs + expiresMs * 1e6 });
      daemon.note('proposed', `${policy} (${proposal.id}): ${reason}`);
      return proposal;
    },
    apply: async (given) => {
      const params = read(Params.apply, given);
      if ('policy' in params) {
        if (!parts.unguarded()) {
          throw new ControlError(
            'not-allowed',
            'a policy is applied by the id of a proposal',
            'Call propose first',
          );
        }
        knownPolicy(params.policy);
        return applied(params.policy, true, 'unguarded');
      }
      const proposal = proposals.get(params.id);
      if (proposal === undefined)
        throw new ControlError('no-such-proposal', `there is no proposal ${params.id}`, 'Call propose');
      proposals.delete(params.id);
      if (proposal.expiresNs < clock.nowNs())
        throw new ControlError(
          'expired',
          `the proposal expired at ${proposal.expires}`,
          'Call propose again',
        );
      return applied(proposal.policy, false, `proposal ${proposal.id}, ${proposal.reason}`, proposal.holdMs);
    },
    rollback: async (given) => {
      const { why = 'rolled back by hand' } = read(Params.rollback, given);
      const line = await daemon.serial(() =>
        daemon.decide({ kind: 'rollback', why, nowNs: clock.nowNs() }, 'switched', `rollback: ${why}`),
      );
      return done(line);
    },
    explain: async (given) => {
      const { seq } = read(Params.explain, given);
      const lines = recent();
      const line =
        seq === undefined
          ? lines.findLast(({ kind }) => kind === 'decision')
          : lines.find((each) => each.seq === seq);
      if (line === undefined) {
        const [first] = lines;
        throw new ControlError(
          'no-such-decision',
          seq === undefined ? 'nothing was decided yet' : `line ${seq} is not among those remembered`,
          first === undefined
            ? undefined
            : `The oldest is ${first.seq}; pmvx explain --journal FILE reads older ones`,
        );
      }
      return { line, words: explainLine(line) };
    },
  };
}

const CODES: Partial<Readonly<Record<GuardRule, ControlErrorCode>>> = {
  killed: 'killed',
  'stepped-aside': 'stepped-aside',
  'not-available': 'unknown-policy',
};

/** A line that tells of something done; what was not done is an error. */
function done(line: JournalLine): JournalLine {
  if (line.kind !== 'event') return line;
  const {
    rule,
    because = '',
    answer,
  } = line as { rule?: GuardRule; because?: string; answer?: SwitchReport };
  if (answer?.outcome === 'refused')
    throw new ControlError('refused', answer.why, `${answer.now} is in effect; pmvx explain tells more`);
  if (rule === 'applied' || rule === 'rolled-back') return line;
  const next = rule === 'killed' ? 'pmvx autotune resume' : 'Try again later, or look at status';
  throw new ControlError((rule && CODES[rule]) ?? 'not-allowed', because, next);
}

function read<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new ControlError('bad-params', `${where === '' ? 'params' : where}: ${issue?.message}`);
}
