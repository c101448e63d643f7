// CPU time of processes, in microseconds, from Linux's /proc. https://docs.kernel.org/scheduler/sched-stats.html
import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds all threads of a process have run, exact where the kernel keeps schedstat, else by the 10 ms ticks of stat. */
function nanoseconds(pid) {
  let total = 0;
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    if (total > 0) return total;
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 1e7;
  } catch {
    return total;
  }
}

/** Microseconds so far of one Node process and of the PostgreSQL backends that serve it. */
export async function cpuOf(nodePid, backendsOf) {
  const backends = await backendsOf();
  return { node: nanoseconds(nodePid) / 1000, postgres: backends.reduce((sum, pid) => sum + nanoseconds(pid), 0) / 1000 };
}
