/** The choice of a CPU. */
import type { Frame } from '../messages.js';

interface Props {
  readonly frame: Frame;
  readonly cpu: number;
  readonly choose: (cpu: number) => void;
}

export function CpuChoice({ frame, cpu, choose }: Props) {
  if (frame.cpus.length < 2) return null;
  return (
    <label class="select">
      CPU{' '}
      <select
        value={cpu}
        onChange={({ currentTarget }) => {
          choose(Number(currentTarget.value));
        }}
      >
        {frame.cpus.map((_, id) => (
          <option value={id}>{id}</option>
        ))}
      </select>
    </label>
  );
}
