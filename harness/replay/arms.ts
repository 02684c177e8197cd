// SPDX-License-Identifier: Apache-2.0
import { absence, type Catalog } from '../core/catalog.ts';
import { ExitCode, type Fault, PmvxError } from '../core/errors.ts';
import type { Policy } from '../core/policy.ts';
import type { EngineName } from '../core/trial.ts';

/** What lives through a day: the kernel's own scheduler, one policy throughout, the daemon, or who knows each phase's best. */
export type Arm =
  | { readonly kind: 'eevdf'; readonly id: 'eevdf' }
  | { readonly kind: 'static'; readonly id: string }
  | { readonly kind: 'auto'; readonly id: 'auto' }
  | { readonly kind: 'oracle'; readonly id: 'oracle' };

export const EEVDF_ARM = { kind: 'eevdf', id: 'eevdf' } as const satisfies Arm;

/** `eevdf,auto,static:scx_simple,oracle`. EEVDF is always among them: all is compared with it. Throws with every fault. */
export function parseArms(text: string, catalog: Pick<Catalog, 'policies' | 'broken'>): readonly Arm[] {
  const words = text.split(',').map((word) => word.trim());
  const faults: Fault[] = [];
  const arms = words.flatMap((word, at): Arm[] => {
    const fault = (what: string, next: string) => {
      faults.push({ where: '--arms', what, next });
      return [];
    };
    if (words.indexOf(word) !== at) return fault(`${word} is named twice`, 'Name each arm once');
    if (word === 'eevdf') return [];
    if (word === 'auto' || word === 'oracle') return [{ kind: word, id: word } as Arm];
    const id = /^static:(.+)$/.exec(word)?.[1];
    if (id === undefined)
      return fault(`there is no arm "${word}"`, 'Arms are eevdf, auto, oracle and static:POLICY');
    const policy = catalog.policies.get(id);
    if (policy === undefined) {
      const { what, next } = absence('policy', id, catalog);
      return fault(what, next);
    }
    if (policy.definition.kind === 'builtin')
      return fault(`${id} is the kernel's own policy`, 'It is the arm eevdf');
    return [{ kind: 'static', id }];
  });
  const statics = arms.filter(({ kind }) => kind === 'static');
  if (statics.length === 0 && arms.some(({ kind }) => kind === 'oracle')) {
    faults.push({
      where: '--arms',
      what: 'the oracle has nothing to choose from',
      next: 'Add static:POLICY for each policy that it may choose',
    });
  }
  if (faults.length > 0) throw new PmvxError(ExitCode.usage, faults);
  return [EEVDF_ARM, ...arms];
}

/** Whether the daemon is there in this arm: to choose, or to be told. On `native` nobody else attaches policies. */
export function hasDaemon({ kind }: Arm, engine: EngineName): boolean {
  return kind !== 'eevdf' && (kind !== 'static' || engine === 'native');
}

/** The policy of a trial of this arm: that of a static arm, else the kernel's own, which a daemon may leave. */
export function policyOf(
  arm: Arm,
  catalog: Pick<Catalog, 'policies' | 'broken'>,
  engine: EngineName,
): Policy {
  const known = catalog.policies.get(arm.id);
  if (arm.kind === 'eevdf' || !hasDaemon(arm, engine)) {
    if (known === undefined) throw new Error(`the catalog lacks ${arm.id}`);
    return known;
  }
  const summary = {
    static: `${arm.id}, which the daemon is told to apply.`,
    auto: 'The daemon, which chooses by a map of policies.',
    oracle: "Each phase's best policy, known beforehand.",
  }[arm.kind];
  const words = { summary, suits: 'A day of phases.', weakness: 'See its replay.', source: 'harness/replay' };
  return { id: arm.id, definition: { kind: 'builtin', ...words, switches: true } };
}
