// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { verifierRefusal } from './verifier-words.ts';

/** What scx_qmap printed on Linux 7.3, with most of the trace and of the way to the fault left out. */
const QMAP = `libbpf: prog 'qmap_dequeue': BPF program load failed: -EACCES
libbpf: prog 'qmap_dequeue': -- BEGIN PROG LOAD LOG --
0: R1=ctx() R10=fp0
; void BPF_STRUCT_OPS(qmap_dequeue, struct task_struct *p, u64 deq_flags) @ scx_qmap.bpf.c:564
0: (79) r2 = *(u64 *)(r1 +0)
94: (bf) r2 = addr_space_cast(r8, 0, 1)       ; R2=arena R8=scalar(id=2)
95: (7b) *(u64 *)(r2 +0) = r1         ; R1=scalar(umin=1) R2=arena
96: (b7) r1 = 0                       ; R1=0
; taskc->q_prev = NULL; @ scx_qmap.bpf.c:336
97: (7b) *(u64 *)(r7 +16) = r1
R7 invalid mem access 'scalar'

Verification failed: Register Type Safety: Invalid dereference

Reason:
  R7 is an integer scalar here, not a pointer to memory.

At:
  qmap_dequeue @ scx_qmap.bpf.c:336:16

Causal path:
  qmap_dequeue @ scx_qmap.bpf.c:262:16

Suggestion:
  Preserve a pointer-valued register where needed.

processed 71 insns (limit 1000000) max_states_per_insn 1 total_states 5 peak_states 5 mark_read 0
-- END PROG LOAD LOG --
libbpf: prog 'qmap_dequeue': failed to load: -EACCES
libbpf: failed to load object 'scx_qmap'
libbpf: failed to load BPF skeleton 'scx_qmap': -EACCES
[SCX_BUG] scx_qmap.c:410 (Permission denied)
Failed to load skel
`;

test('the finding of a kernel that explains itself is the line before the explanation', (t) => {
  const { program, finding } = verifierRefusal(QMAP) ?? t.fail();
  t.is(program, 'qmap_dequeue');
  t.is(finding, "R7 invalid mem access 'scalar'");
});

test('its words are the source line, the finding, the explanation without the way, and the error', (t) => {
  t.is(
    verifierRefusal(QMAP)?.words,
    `0: (79) r2 = *(u64 *)(r1 +0)
94: (bf) r2 = addr_space_cast(r8, 0, 1)       ; R2=arena R8=scalar(id=2)
95: (7b) *(u64 *)(r2 +0) = r1         ; R1=scalar(umin=1) R2=arena
96: (b7) r1 = 0                       ; R1=0
; taskc->q_prev = NULL; @ scx_qmap.bpf.c:336
97: (7b) *(u64 *)(r7 +16) = r1
R7 invalid mem access 'scalar'
Verification failed: Register Type Safety: Invalid dereference
Reason:
  R7 is an integer scalar here, not a pointer to memory.
At:
  qmap_dequeue @ scx_qmap.bpf.c:336:16
libbpf: prog 'qmap_dequeue': failed to load: -EACCES
libbpf: failed to load object 'scx_qmap'
libbpf: failed to load BPF skeleton 'scx_qmap': -EACCES
[SCX_BUG] scx_qmap.c:410 (Permission denied)
Failed to load skel`,
  );
});

test('the finding of a kernel that does not explain is the line before the counts', (t) => {
  const [head = '', tail = ''] = QMAP.split(/^Verification failed[\s\S]*(?=^processed)/m);
  const { finding, words } = verifierRefusal(head + tail) ?? t.fail();
  t.is(finding, "R7 invalid mem access 'scalar'");
  t.regex(
    words,
    /'scalar'\nprocessed 71 insns [^\n]*\nlibbpf: prog 'qmap_dequeue': failed to load: -EACCES\n/,
  );
});

test('of several programs the last one counts: the loader may have tried again', (t) => {
  t.is(verifierRefusal(QMAP + QMAP.replaceAll('qmap_dequeue', 'other'))?.program, 'other');
});

test('the words of a log whose end was lost end where it does, and begin at its last lines', (t) => {
  const [head = '', tail = ''] = QMAP.split('-- END PROG LOAD LOG --\n');
  t.is(verifierRefusal(head)?.words, verifierRefusal(`${head}-- END PROG LOAD LOG --\n`)?.words);
  t.is(
    verifierRefusal(QMAP)?.words,
    `${verifierRefusal(head)?.words}\n${tail.split('\n').slice(0, 5).join('\n')}`,
  );
});

test('a log whose end was lost still has its finding; one that lost that has none', (t) => {
  t.is(verifierRefusal(QMAP.slice(0, QMAP.indexOf('At:')))?.finding, "R7 invalid mem access 'scalar'");
  t.is(verifierRefusal(QMAP.slice(0, QMAP.indexOf('R7 invalid'))), undefined);
});

test('a loader that failed before the verifier has no refusal by it', (t) => {
  t.is(verifierRefusal(''), undefined);
  t.is(verifierRefusal('/opt/scx_none: No such file or directory\n'), undefined);
});
