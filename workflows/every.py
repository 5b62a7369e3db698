"""All workflows, as the worker runs them."""

from workflows.batches import BatchWorkflow
from workflows.bills import BillsWorkflow
from workflows.bootstraps import BootstrapSourceWorkflow, BootstrapWorkflow
from workflows.calendars import CalendarPollsWorkflow, CalendarSyncWorkflow
from workflows.deliveries import DeliveryWorkflow
from workflows.demo import DemoWorkflow
from workflows.digests import DigestsWorkflow, DigestWorkflow
from workflows.documents import ComparisonWorkflow, DocumentAnalysisWorkflow, GenerationWorkflow
from workflows.erasures import ErasureWorkflow, RetentionWorkflow
from workflows.meetings import MeetingWorkflow
from workflows.notices import NoticeWorkflow
from workflows.reconciliation import ReconciliationWorkflow
from workflows.recorders import CallSweepsWorkflow
from workflows.research import ProspectResearchWorkflow, ResearchWorkflow
from workflows.skills import SkillRunWorkflow
from workflows.subscriptions import SubscriptionRenewalsWorkflow, SubscriptionRenewalWorkflow
from workflows.transcripts import TranscriptWorkflow

WORKFLOWS = [
    ResearchWorkflow,
    ProspectResearchWorkflow,
    NoticeWorkflow,
    CalendarSyncWorkflow,
    CalendarPollsWorkflow,
    MeetingWorkflow,
    SubscriptionRenewalWorkflow,
    SubscriptionRenewalsWorkflow,
    CallSweepsWorkflow,
    ErasureWorkflow,
    RetentionWorkflow,
    DeliveryWorkflow,
    TranscriptWorkflow,
    BatchWorkflow,
    ReconciliationWorkflow,
    BillsWorkflow,
    DigestsWorkflow,
    DigestWorkflow,
    SkillRunWorkflow,
    DocumentAnalysisWorkflow,
    ComparisonWorkflow,
    GenerationWorkflow,
    DemoWorkflow,
    BootstrapWorkflow,
    BootstrapSourceWorkflow,
]
