// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import { shortDigest } from '../../harness/core/ids.ts';
import { imageContents } from '../../harness/core/image-contents.ts';
import { NODE_PACKAGE, RUNTIME_MODULES, runtimeSources } from '../../harness/core/runtime-parts.ts';
import { imageSources, type ReadyImage } from '../../harness/lab/image.ts';
import { fileDigest, IMAGE_FILES } from '../../harness/lab/image-files.ts';
import { lockOf, type PackageLock } from './package-lock.ts';

/** The time that everything in an image bears; that of assemble.ts, which a test compares. */
const IMAGE_TIME = '2026-01-01T00:00:00Z';
const UNKNOWN = 'NOASSERTION';
const IMAGE = 'SPDXRef-Image';
/** Licences that package-lock.json may name; what else stands there is quoted in a comment, not asserted. */
const LICENCE = /^(?:0BSD|Apache-2\.0|BSD-2-Clause|BSD-3-Clause|ISC|MIT)$/;

export interface SpdxChecksum {
  readonly algorithm: 'SHA1' | 'SHA256' | 'SHA512';
  readonly checksumValue: string;
}

/** A package of SPDX 2.3: the image, or what went into it. */
export interface SpdxPackage {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo: string;
  readonly packageFileName?: string;
  readonly supplier: string;
  readonly downloadLocation: string;
  readonly filesAnalyzed: false;
  readonly checksums?: readonly SpdxChecksum[];
  readonly licenseConcluded: string;
  readonly licenseDeclared: string;
  readonly copyrightText: string;
  readonly comment?: string;
  readonly externalRefs?: readonly {
    readonly referenceCategory: 'PACKAGE-MANAGER';
    readonly referenceType: 'purl';
    readonly referenceLocator: string;
  }[];
}

/** A source of the project that the image was made from. */
export interface SpdxFile {
  readonly SPDXID: string;
  readonly fileName: string;
  readonly checksums: readonly SpdxChecksum[];
  readonly licenseConcluded: string;
  readonly licenseInfoInFiles: readonly string[];
  readonly copyrightText: string;
}

export interface SpdxRelationship {
  readonly spdxElementId: string;
  readonly relationshipType: 'DESCRIBES' | 'CONTAINS' | 'BUILD_DEPENDENCY_OF' | 'GENERATED_FROM';
  readonly relatedSpdxElement: string;
}

/** A document of SPDX 2.3, as its JSON has it. */
export interface SpdxDocument {
  readonly spdxVersion: 'SPDX-2.3';
  readonly dataLicense: 'CC0-1.0';
  readonly SPDXID: 'SPDXRef-DOCUMENT';
  readonly name: string;
  readonly documentNamespace: string;
  readonly creationInfo: { readonly created: string; readonly creators: readonly string[] };
  readonly documentDescribes: readonly string[];
  readonly packages: readonly SpdxPackage[];
  readonly files: readonly SpdxFile[];
  readonly relationships: readonly SpdxRelationship[];
}

/** What an image is made of. The same image gives the same document: nothing in it is of the day or the host that it is made on. */
export async function sbomOf(root: string, image: ReadyImage): Promise<SpdxDocument> {
  const { recipe, id } = image.manifest;
  const resolved = await imageContents(root, recipe);
  const runtime = resolved.runtime === true;
  const debian = await lockOf(image);
  const [guest, tools] = [debianPackages(debian.guest), debianPackages(debian.tools)];
  const left = image.manifest.left ?? {};
  const crates = resolved.crates.map(cratePackage).filter(({ name }) => !Object.hasOwn(left, name));
  const modules = runtime ? await nodeModules(root) : [];
  const paths = [...imageSources(root), ...(runtime ? runtimeSources(root) : [])];
  const files = await Promise.all(
    [`vm-images/recipes/${recipe}.yaml`, ...new Set(paths)].sort().map((path) => ownFile(root, path)),
  );
  const contained = [...guest, ...crates, ...modules];
  const name = `pmvx-image-${id}`;
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `https://spdx.org/spdxdocs/${name}-${image.digest}`,
    creationInfo: { created: IMAGE_TIME, creators: ['Tool: pmvx'] },
    documentDescribes: [IMAGE],
    packages: [await imagePackage(image), ...eachOnce([...contained, ...tools])],
    files,
    relationships: [
      relate('SPDXRef-DOCUMENT', 'DESCRIBES', IMAGE),
      ...contained.map(({ SPDXID }) => relate(IMAGE, 'CONTAINS', SPDXID)),
      ...tools.map(({ SPDXID }) => relate(SPDXID, 'BUILD_DEPENDENCY_OF', IMAGE)),
      ...files.map(({ SPDXID }) => relate(IMAGE, 'GENERATED_FROM', SPDXID)),
    ],
  };
}

/** The text of a document. */
export function formatSbom(document: SpdxDocument): string {
  return `${JSON.stringify(document, undefined, 1)}\n`;
}

async function imagePackage({ folder, manifest, digest }: ReadyImage): Promise<SpdxPackage> {
  const left = Object.keys(manifest.left ?? {}).sort();
  const words = [
    `Digest ${digest}; manifest.json, whose SHA-256 is given, has that of every file.`,
    `Guest kernel ${manifest.guestKernel}, QEMU ${manifest.qemuVersion}.`,
    'Packages that the image CONTAINS are those of its guest. QEMU with its libraries, and what static programs link, are taken from the packages of the tools root, BUILD_DEPENDENCY_OF the image.',
    ...(left.length === 0 ? [] : [`Left out, because they did not build: ${left.join(', ')}.`]),
  ];
  return {
    SPDXID: IMAGE,
    name: `pmvx-image-${manifest.recipe}`,
    versionInfo: manifest.id,
    packageFileName: IMAGE_FILES.manifest,
    supplier: UNKNOWN,
    ...unknown(),
    checksums: [sum('SHA256', await fileDigest(join(folder, IMAGE_FILES.manifest)))],
    comment: words.join(' '),
  };
}

function debianPackages(packages: PackageLock['guest']): SpdxPackage[] {
  return sorted(packages).map(([name, { version, architecture, sha256 }]) => {
    const purl = `pkg:deb/debian/${escaped(name)}@${escaped(version)}?arch=${architecture}`;
    return {
      // Both roots may have a package of one name: one element if it is the same archive, else two.
      SPDXID: elementId('deb', name, `${purl} ${sha256}`),
      name,
      versionInfo: version,
      supplier: 'Organization: Debian',
      ...unknown(),
      ...(sha256 === '-' ? {} : { checksums: [sum('SHA256', sha256)] }),
      ...purlOf(purl),
    };
  });
}

/** A pinned scheduler; the crates that it links are those of its own Cargo.lock, which no file of the image lists. */
function cratePackage(pin: string): SpdxPackage {
  const [name = '', version = ''] = pin.split('@');
  const purl = `pkg:cargo/${escaped(name)}@${escaped(version)}`;
  return {
    SPDXID: elementId('cargo', name, purl),
    name,
    versionInfo: version,
    supplier: UNKNOWN,
    ...unknown(),
    comment:
      'Built with --locked: the crates that it links are those of its Cargo.lock, and not listed here.',
    ...purlOf(purl),
  };
}

const NPM_LOCK = 'package-lock.json';

async function nodeModules(root: string): Promise<SpdxPackage[]> {
  const { packages } = JSON.parse(await readFile(join(root, NPM_LOCK), 'utf8')) as {
    readonly packages: Readonly<
      Record<string, { readonly version?: string; readonly integrity?: string; readonly license?: string }>
    >;
  };
  return [NODE_PACKAGE, ...RUNTIME_MODULES].map((name) => {
    const { version, integrity, license } = packages[`node_modules/${name}`] ?? {};
    if (version === undefined) {
      throw new PmvxError(ExitCode.usage, {
        where: NPM_LOCK,
        what: `it does not name ${name}, which is in this image`,
        next: `Take back what changed it: \`git checkout ${NPM_LOCK}\``,
      });
    }
    const purl = `pkg:npm/${escaped(name)}@${escaped(version)}`;
    const known = license !== undefined && LICENCE.test(license);
    const sha512 = /^sha512-([A-Za-z0-9+/]+=*)$/.exec(integrity ?? '')?.[1];
    return {
      SPDXID: elementId('npm', name, purl),
      name,
      versionInfo: version,
      supplier: UNKNOWN,
      ...unknown(),
      ...(known ? { licenseDeclared: license } : {}),
      ...(license === undefined || known ? {} : { comment: `Its package says of its licence: ${license}` }),
      ...(sha512 === undefined
        ? {}
        : { checksums: [sum('SHA512', Buffer.from(sha512, 'base64').toString('hex'))] }),
      ...purlOf(purl),
    };
  });
}

async function ownFile(root: string, path: string): Promise<SpdxFile> {
  const bytes = await readFile(join(root, path));
  const head = bytes.toString('latin1').split('\n', 2).join('\n');
  const licence = /SPDX-License-Identifier: ([\w.-]+)/.exec(head)?.[1] ?? UNKNOWN;
  return {
    SPDXID: elementId('file', path.replace(/^.*\//, ''), path),
    fileName: `./${path}`,
    checksums: [
      sum('SHA1', createHash('sha1').update(bytes).digest('hex')),
      sum('SHA256', createHash('sha256').update(bytes).digest('hex')),
    ],
    licenseConcluded: licence,
    licenseInfoInFiles: [licence],
    copyrightText: UNKNOWN,
  };
}

/** What SPDX wants said of each package, and nobody has looked up. */
function unknown() {
  return {
    downloadLocation: UNKNOWN,
    filesAnalyzed: false,
    licenseConcluded: UNKNOWN,
    licenseDeclared: UNKNOWN,
    copyrightText: UNKNOWN,
  } as const;
}

function purlOf(referenceLocator: string): Pick<SpdxPackage, 'externalRefs'> {
  return {
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator }],
  };
}

/** As package URLs are written: a colon stays as it is. */
function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':');
}

/** Letters, digits, dots and hyphens are all that an SPDXID may have; the digest tells apart what becomes alike by that. */
function elementId(kind: string, name: string, whole: string): string {
  return `SPDXRef-${kind}-${name.replace(/[^A-Za-z0-9.-]/g, '-')}-${shortDigest(whole)}`;
}

function sum(algorithm: SpdxChecksum['algorithm'], checksumValue: string): SpdxChecksum {
  return { algorithm, checksumValue };
}

function relate(
  spdxElementId: string,
  relationshipType: SpdxRelationship['relationshipType'],
  relatedSpdxElement: string,
): SpdxRelationship {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

function eachOnce(packages: readonly SpdxPackage[]): SpdxPackage[] {
  return [...new Map(packages.map((each) => [each.SPDXID, each])).values()];
}
