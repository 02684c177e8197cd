// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';

const COST_NOTES = `
A snapshot of each machine, then three pairs of forks for each load, a short and a long one; figures are their difference, so
that start and end of a machine do not count. One machine at a time; two minutes a machine. Leave the host alone meanwhile: the
table shows processor time, which other work on the host disturbs little, but does disturb.

Examples:
  pmvx image costs quick
  pmvx image costs quick --vcpus 2,4 --quanta 5000 --json`;

const SBOM_NOTES = `
Says what went into the image: Debian packages of both roots, crates, Node modules, and the project's own files with their licences.
The same image gives the same bytes.

Examples:
  pmvx image sbom quick --out quick.spdx.json
  pmvx image sbom runtime > runtime.spdx.json`;

/** Adds `pmvx image build | lock | sbom | reproduce | verify | selftest | costs | list`. */
export function addImageCommands(
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  const image = program.command('image').description('build, verify, list and self-test images');

  image
    .command('build')
    .description('build an image from vm-images/recipes/<recipe>.yaml')
    .argument('<recipe>', 'name of a recipe')
    .option('--force', 'although it is there; fetches packages anew')
    .action(async (recipe: string, options: { force?: true }) => {
      const { imageBuildCommand } = await import('./image.ts');
      finish(await imageBuildCommand({ recipe, force: options.force === true }, context));
    });

  image
    .command('lock')
    .description('record what a built image is made of in vm-images/locks/<recipe>.json')
    .argument('<recipe>', 'name of a recipe')
    .action(async (recipe: string) => {
      const { imageLockCommand } = await import('./image.ts');
      finish(await imageLockCommand({ recipe }, context));
    });

  image
    .command('sbom')
    .description('list what a built image is made of, as SPDX 2.3 in JSON')
    .argument('<recipe>', 'name of a recipe')
    .option('--out <file>', 'instead of stdout')
    .addHelpText('after', SBOM_NOTES)
    .action(async (recipe: string, options: { out?: string }) => {
      const { imageSbomCommand } = await import('./image-sbom.ts');
      finish(await imageSbomCommand({ recipe, ...options }, context));
    });

  image
    .command('reproduce')
    .description('build a built image once more from nothing, and compare the two file by file')
    .argument('<recipe>', 'name of a recipe')
    .action(async (recipe: string) => {
      const { imageReproduceCommand } = await import('./image-reproduce.ts');
      finish(await imageReproduceCommand({ recipe }, context));
    });

  image
    .command('verify')
    .description('recompute the digests of an image')
    .argument('<recipe>', 'name of a recipe')
    .action(async (recipe: string) => {
      const { imageVerifyCommand } = await import('./image.ts');
      finish(await imageVerifyCommand({ recipe }, context));
    });

  image
    .command('selftest')
    .description('prove that an image is exact and shares time equally')
    .argument('<recipe>', 'name of a recipe')
    .option('--force', 'although it passed before')
    .action(async (recipe: string, options: { force?: true }) => {
      const { imageSelftestCommand } = await import('./image.ts');
      finish(await imageSelftestCommand({ recipe, force: options.force === true }, context));
    });

  image
    .command('costs')
    .description('measure what a virtual second costs the host, by vCPUs, load and quantum')
    .argument('<recipe>', 'name of a recipe')
    .option('--vcpus <list>', 'machines', '1,2,4,8,16')
    .option('--quanta <list>', 'turns of a vCPU, in instructions', '5000,20000')
    .option('--json', 'for programs; also wall time')
    .addHelpText('after', COST_NOTES)
    .action(async (recipe: string, options: { vcpus: string; quanta: string; json?: true }) => {
      const { imageCostsCommand, parseNumbers } = await import('./image-costs.ts');
      const vcpus = parseNumbers(
        'vcpus',
        options.vcpus,
        (n) => [1, 2, 4, 8, 16].includes(n),
        'Write 1, 2, 4, 8 or 16, like 1,2,4',
      );
      const quanta = parseNumbers(
        'quanta',
        options.quanta,
        (n) => n >= 512,
        'Write numbers from 512, like 5000,20000',
      );
      finish(await imageCostsCommand({ recipe, vcpus, quanta, json: options.json === true }, context));
    });

  image
    .command('list')
    .description('show recipes and built images')
    .option('--json', 'for programs')
    .action(async (options: { json?: true }) => {
      const { listCommand } = await import('./list.ts');
      const { imageRows } = await import('./image-rows.ts');
      finish(await listCommand({ what: 'images', json: options.json === true }, context, imageRows));
    });
}
