import { stdout } from 'node:process';
import type { Command } from 'commander';

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check this machine for everything dropframe can use: Node, ffmpeg, players, browser, socket buffers, TUN',
    )
    .option('--json', 'print the findings as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const [{ examine }, { formatFindings }] = await Promise.all([
        import('../io/doctor.ts'),
        import('./findings-text.ts'),
      ]);
      const findings = await examine();
      stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : `${formatFindings(findings)}\n`);
    });
}
