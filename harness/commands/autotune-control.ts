// SPDX-License-Identifier: Apache-2.0
import { ExitCode } from '../core/errors.ts';
import type { Status } from '../runtime/contracts.ts';
import { connectControl } from '../runtime/daemon/control-client.ts';
import { defaultPlaces } from '../runtime/daemon/places.ts';
import { statusLines } from '../runtime/daemon/status-lines.ts';
import type { CommandContext } from './context.ts';

export interface ControlArgs {
  readonly method: 'stop' | 'status' | 'reload' | 'resume';
  readonly socket?: string;
  readonly json?: true;
  readonly why?: string;
}

/** `pmvx autotune stop | status | reload | resume`: asks the daemon, and shows its state then. */
export async function controlCommand(args: ControlArgs, context: CommandContext): Promise<ExitCode> {
  const { method, why } = args;
  const client = await connectControl(args.socket ?? defaultPlaces(context.env).socket);
  try {
    const status: Status =
      method === 'stop'
        ? await client.call('stop', why === undefined ? {} : { why })
        : await client.call(method, {});
    if (args.json === true) context.write(JSON.stringify(status, null, 2));
    else for (const line of statusLines(status)) context.write(line);
    return ExitCode.ok;
  } finally {
    client.close();
  }
}
