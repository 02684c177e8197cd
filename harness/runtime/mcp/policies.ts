// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { McpParts } from './parts.ts';
import { tool } from './tool.ts';

const KINDS = ['builtin', 'struct_ops', 'process', 'knob'] as const;

export const policiesTool = (parts: McpParts) =>
  tool({
    name: 'policies',
    title: 'List policies',
    description:
      'The scheduling policies and kernel settings that pmvx knows: what each is for, and where it is weak.',
    input: z.object({
      kind: z.enum(KINDS).optional(),
      about: z.string().max(100).optional().describe('Only those whose words have this in them'),
    }),
    output: z.object({
      policies: z.array(
        z.object({
          id: z.string(),
          kind: z.enum(KINDS),
          summary: z.string(),
          suits: z.string(),
          weakness: z.string(),
        }),
      ),
    }),
    effects: 'reads',
    async run({ kind, about }) {
      const all = (await parts.policies()).map(({ id, definition }) => {
        const { kind: own, summary, suits, weakness } = definition;
        return { id, kind: own, summary, suits, weakness };
      });
      const wanted = about?.toLowerCase();
      const policies = all.filter(
        (each) =>
          (kind === undefined || each.kind === kind) &&
          (wanted === undefined ||
            `${each.id} ${each.summary} ${each.suits} ${each.weakness}`.toLowerCase().includes(wanted)),
      );
      return { words: policies.map(({ id, summary }) => `${id}: ${summary}`).join('\n'), data: { policies } };
    },
  });
