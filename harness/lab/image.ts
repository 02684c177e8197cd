// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { ExitCode, type Fault, PmvxError } from '../core/errors.ts';
import { canonicalJson, shortDigest } from '../core/ids.ts';
import { imageContents } from '../core/image-contents.ts';
import { runtimePackages, runtimeSources } from '../core/runtime-parts.ts';
import { fileDigest, filesBelow, IMAGE_FILES } from './image-files.ts';

const FilePart = z.object({ size: z.int(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const ManifestSchema = z.object({
  v: z.literal(1),
  recipe: z.string(),
  id: z.string(),
  guestKernel: z.string(),
  qemuVersion: z.string(),
  rootMiB: z.int(),
  /** Pinned schedulers of cargo's registry that are not in the image, each with the reason. */
  left: z.record(z.string(), z.string()).default({}),
  files: z.record(z.string(), FilePart),
});

/** What an image is made of; `manifest.json` in its folder. */
export type ImageManifest = Omit<z.infer<typeof ManifestSchema>, 'left'> & {
  readonly left?: Readonly<Record<string, string>>;
};

/** An image that is there and whose every byte is what was built. */
export interface ReadyImage {
  readonly folder: string;
  readonly manifest: ImageManifest;
  /** SHA-256 over names, sizes and digests of all files. */
  readonly digest: string;
}

/** No machine starts without these. */
const NEEDED = [
  IMAGE_FILES.kernel,
  IMAGE_FILES.initrd,
  IMAGE_FILES.root,
  IMAGE_FILES.plugin,
  IMAGE_FILES.packages,
  `${IMAGE_FILES.qemu}/bin/qemu-system-x86_64`,
];

/** Files of the project that go into every image; their contents, with the recipe's, name it. */
const SOURCES = [
  'bpf/guest/*/*',
  'bpf/recorder/*.{c,h}',
  'harness/lab/plugin/*.{c,h}',
  'workloads/*.h',
  'workloads/*/*.{c,h}',
  'workloads/*/guest/**/*',
  'bpf/probes/*.{c,h}',
  'bpf/policies/*/*.bpf.c',
  'bpf/policies/*/*.h',
  'vm-images/builder/*.sh',
  'vm-images/builder/assemble.ts',
];

/** The sources of an image, as paths relative to `root`, sorted. */
export function imageSources(root: string): string[] {
  return SOURCES.flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((path) => !/\.(md|test\.ts)$/.test(path) && statSync(join(root, path)).isFile())
    .sort();
}

/**
 * Names an image by what it is made from: recipe, what that resolves to, and sources with whether they are programs. The same
 * inputs give the same id on every machine.
 */
export async function imageId(root: string, recipe: string): Promise<string> {
  const resolved = await imageContents(root, recipe);
  const ofRuntime = resolved.runtime === true ? runtimeSources(root) : [];
  const paths = [`vm-images/recipes/${recipe}.yaml`, ...imageSources(root), ...ofRuntime];
  const contents = await Promise.all(
    paths.map(async (path) => [
      path,
      shortDigest(await readFile(join(root, path))),
      ...(statSync(join(root, path)).mode & 0o100 ? ['program'] : []),
    ]),
  );
  const packages = resolved.runtime === true ? { packages: await runtimePackages(root) } : {};
  return `${recipe}-${shortDigest(canonicalJson({ contents, resolved, ...packages }))}`;
}

/** Where the image of a recipe is or will be. */
export async function imageFolder(root: string, cache: string, recipe: string): Promise<string> {
  return join(cache, 'images', await imageId(root, recipe));
}

/** SHA-256 that stands for all files of an image. */
export function imageDigest(manifest: ImageManifest): string {
  return shortDigest(canonicalJson(manifest.files));
}

/** Opens the image of a recipe and recomputes every digest; names what is missing or damaged. */
export async function requireImage(root: string, cache: string, recipe: string): Promise<ReadyImage> {
  const folder = await imageFolder(root, cache, recipe);
  const path = join(folder, IMAGE_FILES.manifest);
  if (!existsSync(path)) {
    throw new PmvxError(ExitCode.image, {
      where: `image ${recipe}`,
      what: 'not built yet from the recipe and sources as they are now',
      next: `Run \`./pmvx image build ${recipe}\``,
    });
  }
  const manifest = await readManifest(folder, recipe);
  const faults = [...misnamed(folder, manifest), ...(await damage(folder, manifest))];
  if (faults.length > 0) throw new PmvxError(ExitCode.image, faults);
  return { folder, manifest, digest: imageDigest(manifest) };
}

/** What an image says of itself; `requireImage` proves it. */
export async function readManifest(folder: string, recipe: string): Promise<ImageManifest> {
  const path = join(folder, IMAGE_FILES.manifest);
  try {
    return ManifestSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new PmvxError(
      ExitCode.image,
      { where: path, what: 'the manifest of the image is damaged', next: rebuild(recipe) },
      { cause: error },
    );
  }
}

/** A folder that was copied from another image, or given its name. */
function misnamed(folder: string, { id, recipe }: ImageManifest): Fault[] {
  if (id === basename(folder)) return [];
  return [
    { where: join(folder, IMAGE_FILES.manifest), what: `this is the image ${id}`, next: rebuild(recipe) },
  ];
}

function rebuild(recipe: string): string {
  return `Build it anew: \`./pmvx image build ${recipe} --force\``;
}

/** What is wrong with the bytes of a file, if anything. */
async function corruption(path: string, sha256: string): Promise<string | undefined> {
  const found = await fileDigest(path).catch((error: NodeJS.ErrnoException) => error);
  if (typeof found !== 'string') return `this part of the image cannot be read (${found.code})`;
  if (found === sha256) return undefined;
  return 'this part of the image is corrupt: its SHA-256 is not the one that was built';
}

/** Every difference between an image's folder and its manifest. */
async function damage(folder: string, manifest: ImageManifest): Promise<Fault[]> {
  const faults: Fault[] = [];
  const next = rebuild(manifest.recipe);
  for (const name of NEEDED.filter((each) => !Object.hasOwn(manifest.files, each))) {
    faults.push({
      where: join(folder, name),
      what: 'the manifest does not name this part of the image',
      next,
    });
  }
  for (const [name, part] of Object.entries(manifest.files)) {
    const where = join(folder, name);
    const size = await stat(where).then(
      (found) => (found.isFile() ? found.size : undefined),
      () => undefined,
    );
    if (size === undefined) faults.push({ where, what: 'this part of the image is missing', next });
    else if (size !== part.size) {
      faults.push({ where, what: `this part of the image has ${size} bytes, built were ${part.size}`, next });
    } else {
      const what = await corruption(where, part.sha256);
      if (what !== undefined) faults.push({ where, what, next });
    }
  }
  const known = new Set<string>([...Object.keys(manifest.files), IMAGE_FILES.manifest, IMAGE_FILES.selfTest]);
  for (const name of await filesBelow(folder)) {
    if (!known.has(name))
      faults.push({ where: join(folder, name), what: 'this file is not part of the image', next });
  }
  return faults;
}
