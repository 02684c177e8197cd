// SPDX-License-Identifier: Apache-2.0
import { html, type Markup } from './html.ts';
import type { ReportedRun } from './report-input.ts';

/** Where the numbers come from, for each run. */
export function provenanceHtml(runs: readonly ReportedRun[]): Markup {
  const title = ({ provenance }: ReportedRun) =>
    runs.length === 1 ? '' : html`<h3>${provenance.run}</h3>\n`;
  return html`<section aria-labelledby="provenance">
<h2 id="provenance">Provenance</h2>
${runs.map((run) => html`${title(run)}${factsHtml(run)}`)}</section>
`;
}

function factsHtml({ provenance, spec }: ReportedRun): Markup {
  const { pmvx, host, image, seeds } = provenance;
  const { machine } = spec;
  const commit =
    pmvx.commit === undefined ? '' : `, commit ${pmvx.commit}${pmvx.dirty === true ? ' with changes' : ''}`;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['run', `${provenance.run}, created ${provenance.createdAt}`],
    ['pMVX', `${pmvx.version}${commit}`],
    ['engine', `${provenance.engine}, ${machineWords(machine)}`],
    [
      'policies take over',
      `${spec.points.join(', ')}; ${spec.counterfactual === 'fork' ? 'forks of one machine' : 'a boot for each trial'}`,
    ],
    [
      'seeds',
      `base ${seeds.base}, ${seeds.count} blocks${seeds.blocks === undefined ? '' : `: ${seeds.blocks.join(', ')}`}`,
    ],
    ['order', spec.order],
    ['image', image.id === undefined ? undefined : `${image.id} (recipe ${image.recipe ?? spec.image})`],
    ['guest kernel', image.guestKernel],
    ['QEMU', image.qemu === undefined ? undefined : `${image.qemu.version}, sha256 ${image.qemu.digest}`],
    ...Object.entries(image.digests ?? {}).map(([part, digest]) => [`digest of ${part}`, digest] as const),
    ['definitions', provenance.definitions],
    ['host', [host.cpuModel, `${host.cores} processors`, `${host.memoryMiB} MiB`].filter(Boolean).join(', ')],
    ['host system', [host.distro, `kernel ${host.kernel}`, `Node ${host.node}`].filter(Boolean).join(', ')],
  ];
  return html`<dl class="facts">
${facts.flatMap(([name, value]) => (value === undefined ? [] : [html`<dt>${name}</dt><dd>${value}</dd>\n`]))}</dl>
`;
}

/** Commands that lead to the same numbers. */
export function reproduceHtml(runs: readonly ReportedRun[]): Markup {
  const folders = runs.map(({ folder }) => folder).join(' ');
  const out = runs.length === 1 ? '' : ' --out DIR';
  return html`<section aria-labelledby="reproduce">
<h2 id="reproduce">How to reproduce</h2>
<p>This page, the table and the figures from the records:</p>
<pre><code>./pmvx report ${folders}${out}
./pmvx analyze ${folders}${out}
./pmvx figures ${folders}${out}</code></pre>
${runs.map((run) => html`${runs.length === 1 ? '' : html`<h3>${run.provenance.run}</h3>\n`}${recordsHtml(run)}`)}</section>
`;
}

function recordsHtml({ provenance, spec }: ReportedRun): Markup {
  const { commit, dirty } = provenance.pmvx;
  const at = commit === undefined ? [] : [`git checkout ${commit}`];
  const again = [...at, `./pmvx image build ${spec.image}`, `./pmvx run ${spec.name}.yaml`];
  const exact = provenance.engine === 'exact';
  return html`<p>The records themselves, from a spec that says the same as <code>spec.json</code> beside them:</p>
<pre><code>${again.join('\n')}</code></pre>
<p>${
    exact
      ? `On exact the same image and the same seeds give the same figures, bit by bit: image ${provenance.image.id ?? spec.image} and the digests above say which.`
      : `On ${provenance.engine} figures differ from run to run; the intervals say by how much to expect.`
  }${dirty === true ? ' The working tree had changes that the commit does not have.' : ''}</p>
`;
}

export function machineWords({
  vcpus,
  memoryMiB,
  speed,
  quantum,
  engine,
}: ReportedRun['spec']['machine']): string {
  const exact =
    engine === 'exact'
      ? `, ${speed} million instructions a second each, turns of ${quantum} instructions`
      : '';
  return `${vcpus} vCPUs, ${memoryMiB} MiB${exact}`;
}
