// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Prints the index of every chunk that holds data, and `end`. Node cannot ask for holes (SEEK_DATA is 3); perl can, and every
 * Debian has it. An error other than ENXIO (6: no data from here on) is a file system that does not know its holes.
 */
const LIST = `
  my ($path, $chunk) = @ARGV;
  open(my $file, '<', $path) or exit 1;
  my $at = 0;
  while (defined(my $data = sysseek($file, $at, 3))) {
    my $index = int((0 + $data) / $chunk);
    print "$index\\n";
    $at = ($index + 1) * $chunk;
  }
  exit 1 if $! != 6;
  print "end\\n";
`;

/**
 * Indexes of the chunks of a file that may hold anything but zeros, ascending; all of them where holes cannot be asked for.
 * `size` and `chunkBytes` in bytes. Looking at a hole would cost time and page cache, and a machine's memory is mostly holes.
 */
export async function dataChunks(path: string, size: number, chunkBytes: number): Promise<readonly number[]> {
  const count = Math.ceil(size / chunkBytes);
  const every = Array.from({ length: count }, (_, index) => index);
  if (count <= SMALL) return every;
  const printed = await promisify(execFile)('perl', ['-e', LIST, path, String(chunkBytes)], {
    maxBuffer: MOST_OUTPUT,
  }).then(
    ({ stdout }) => stdout.trim().split('\n'),
    () => [],
  );
  return printed.pop() === 'end' ? printed.map(Number).filter((index) => index < count) : every;
}

/** So few chunks are read faster than a program is started. */
const SMALL = 8;

/** Bytes; a line a chunk. */
const MOST_OUTPUT = 2 ** 26;
