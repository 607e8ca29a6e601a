import { stdout } from 'node:process';
import type { Command } from 'commander';

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('what this machine has of what dropframe can use: Node, ffmpeg, players, browser, buffers, TUN')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { examine, formatFindings } = await import('../io/doctor.ts');
      const findings = await examine();
      stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : `${formatFindings(findings)}\n`);
    });
}
