// Watch a job to its end.
import { ask, ServerError } from "../client/http";
import type { Job } from "../client/types";

/** Ask about a job until it has ended; what it came to. Throws what it complained of. */
export async function watch(id: string, tell: (job: Job) => void = () => undefined): Promise<Job> {
  for (;;) {
    const job = await ask<Job>(`/api/jobs/${id}`);
    tell(job);
    if (job.state === "failed") throw new ServerError(0, job.says || "internal");
    if (job.state !== "running") return job;
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
}
