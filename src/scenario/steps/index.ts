// Runs one step of any kind.

import { durationNs } from '../format/quantities.ts';
import { linkSettingsOf } from '../simulation/link.ts';
import { StepProblem } from '../session.ts';
import { runChange } from './change.ts';
import { runClose, runConnect, runSend } from './connect.ts';
import { RunningLoad, runLoad, runWait } from './load.ts';
import { runPacket } from './packet.ts';
import { runPing } from './ping.ts';
import { runListen } from './listen.ts';
import { runReplay } from './replay.ts';
import { runResolve, runRestart } from './resolve.ts';
import { runSql } from './sql.ts';
import { runUdp } from './udp.ts';
import type { Facts } from '../expectations.ts';
import type { ParsedStep } from '../scenario.ts';
import type { Session } from '../session.ts';

const NOTHING: Facts = { counts: {} };

/** Runs a step in virtual time and tells what it found out. Throws StepProblem when it cannot run. */
export function runStep(session: Session, step: ParsedStep): Facts {
  const { simulation } = session;
  switch (step.action) {
    case 'connect':
      return runConnect(session, step.value);
    case 'send':
      return runSend(session, step.value);
    case 'close':
      return runClose(session, step.value);
    case 'ping':
      return runPing(session, step.value);
    case 'udp':
      return runUdp(session, step.value);
    case 'packet':
      return runPacket(session, step.value);
    case 'load':
      if (step.value.background !== true) return runLoad(session, step.value);
      session.loads.set(step.name ?? 'load', new RunningLoad(session, step.value));
      return NOTHING;
    case 'wait':
      return runWait(session, step.value);
    case 'replay':
      if (step.capture === undefined) throw new Error('a replay without its frames');
      return runReplay(session, step.value, step.capture);
    case 'resolve':
      return runResolve(session, step.value);
    case 'restart':
      return runRestart(session, step.value);
    case 'sql':
      return runSql(session, step.value);
    case 'setListen':
      return runListen(session, step.value);
    case 'advance':
      simulation.runUntil(simulation.now() + durationNs(step.value));
      return NOTHING;
    case 'link': {
      const { attachment, ...settings } = step.value;
      simulation.setLink(attachmentOf(session, attachment), linkSettingsOf(settings));
      return NOTHING;
    }
    default:
      return runChange(step, simulation);
  }
}

/** The attachment that a name stands for. Throws StepProblem when it is gone. */
export function attachmentOf(session: Session, name: string): number {
  const attachment = session.simulation.attachment(name);
  if (attachment !== undefined) return attachment;
  const sender = session.sender(name);
  if (session.simulation.compiled.sideTable.attachments[sender.attachment] !== undefined) return sender.attachment;
  const hint = 'it was removed by an earlier step';
  throw new StepProblem({ code: 'SCENARIO_UNKNOWN_NAME', message: `'${name}' is no longer there`, hint });
}
