// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { JournalLine, SwitchReport } from '../contracts.ts';
import type { ControlClient } from '../daemon/control-client.ts';
import { ToolError } from './failure.ts';
import type { McpParts } from './parts.ts';
import { tool } from './tool.ts';

const ms = z.number().positive().max(86_400_000);

const Proposed = z.object({
  id: z.string().describe('apply takes it'),
  policy: z.string(),
  allowed: z.boolean().describe('What the safeguards would say now'),
  rule: z.string(),
  because: z.string(),
  holdMs: z.number(),
  expires: z.string().describe('ISO 8601; apply refuses it afterwards'),
  canApply: z.boolean().describe('False: this server only reads, and a person has to apply it'),
});

export const proposeTool = (parts: McpParts) =>
  tool({
    name: 'propose',
    title: 'Propose a policy',
    description:
      'Asks the daemon whether a policy could take effect now, without doing it. The answer has an id, for apply, and what the safeguards say: dwell, rate, quarantine, kill switch. The proposal is written into the journal.',
    input: z.object({
      policy: z.string().min(1),
      reason: z.string().min(1).max(2000).describe('For the journal: what was seen, and on which evidence'),
      expiresMs: ms.optional().describe('How long it may be applied; default a minute'),
      holdMs: ms
        .optional()
        .describe('How long the policy is kept before the map is asked again; default ten minutes'),
    }),
    output: Proposed,
    effects: 'proposes',
    async run({ policy, reason, expiresMs, holdMs }) {
      const proposal = await withDaemon(parts, (client) =>
        client.call('propose', {
          policy,
          reason,
          ...(expiresMs === undefined ? {} : { expiresMs }),
          ...(holdMs === undefined ? {} : { holdMs }),
        }),
      );
      const { id, allowed, rule, because, expires } = proposal;
      const data = {
        id,
        policy,
        allowed,
        rule,
        because,
        holdMs: proposal.holdMs,
        expires,
        canApply: parts.allowApply,
      };
      const next = !parts.allowApply
        ? ' This server only reads: a person has to apply it.'
        : allowed
          ? ` Apply it with id ${id} before ${expires}.`
          : '';
      return { words: `${policy}: ${allowed ? 'allowed' : 'not allowed'} now, ${because}.${next}`, data };
    },
  });

const Done = z.object({
  done: z.boolean().describe('False in a dry run: nothing was touched'),
  from: z.string().optional(),
  to: z.string().optional(),
  rule: z.string(),
  because: z.string(),
  seq: z.number().describe('Line of the journal; explain tells more'),
  proof: z.string().optional().describe('What the kernel says that proves it'),
  gapMs: z.number().optional().describe('Time under plain EEVDF within the switch'),
});

export const applyTool = (parts: McpParts) =>
  tool({
    name: 'apply',
    title: 'Apply a proposal',
    description:
      'Puts a proposed policy into effect through the daemon, which obeys every safeguard and asks the kernel for proof. Only with the id of a proposal, and only when the server was started with --allow-apply.',
    input: z.object({ id: z.string().min(1) }),
    output: Done,
    effects: 'acts',
    async run({ id }) {
      requireApply(parts);
      return doneOf(await withDaemon(parts, (client) => client.call('apply', { id })));
    },
  });

export const rollbackTool = (parts: McpParts) =>
  tool({
    name: 'rollback',
    title: 'Roll back to EEVDF',
    description:
      "Back to the kernel's own scheduler and settings, now. Only when the server was started with --allow-apply.",
    input: z.object({ why: z.string().min(1).max(2000).describe('For the journal') }),
    output: Done,
    effects: 'acts',
    async run({ why }) {
      requireApply(parts);
      return doneOf(await withDaemon(parts, (client) => client.call('rollback', { why })));
    },
  });

export const explainTool = (parts: McpParts) =>
  tool({
    name: 'explain',
    title: 'Explain a decision',
    description:
      'A decision of the daemon in words: what it saw, what the map said, which rule decided, what the kernel answered. The last one, or the one with a number.',
    input: z.object({ seq: z.int().min(0).optional() }),
    output: z.object({
      words: z.string(),
      line: z.record(z.string(), z.unknown()).describe('The line of the journal'),
    }),
    effects: 'reads',
    async run({ seq }) {
      const { words, line } = await withDaemon(parts, (client) =>
        client.call('explain', seq === undefined ? {} : { seq }),
      );
      return { words, data: { words, line: { ...line } } };
    },
  });

function requireApply({ allowApply }: McpParts): void {
  if (allowApply) return;
  throw new ToolError(
    'read-only',
    'this server only reads',
    'Ask a person to start it as pmvx mcp --allow-apply, or to apply the proposal',
  );
}

async function withDaemon<T>(parts: McpParts, ask: (client: ControlClient) => Promise<T>): Promise<T> {
  const client = await parts.daemon();
  try {
    return await ask(client);
  } finally {
    client.close();
  }
}

function doneOf(line: JournalLine) {
  const { seq } = line;
  const told = line as {
    rule?: string;
    because?: string;
    from?: string;
    to?: string;
    answer?: SwitchReport;
    dry?: boolean;
  };
  const { rule = 'applied', because = '', from, to, answer, dry = false } = told;
  const data: z.infer<typeof Done> = {
    done: !dry,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    rule,
    because,
    seq,
    ...(answer?.outcome === 'active' ? { proof: answer.proof, gapMs: answer.gapNs / 1e6 } : {}),
  };
  const proven = data.proof === undefined ? '' : ` The kernel: ${data.proof}.`;
  return {
    words: `${dry ? 'Dry run: nothing was touched. ' : ''}${from ?? ''} -> ${to ?? ''}: ${because}.${proven}`,
    data,
  };
}
