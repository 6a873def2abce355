"""Platform rights: what a role may allow beside entities. One registry; a role names them under `platform`."""

from __future__ import annotations

from dataclasses import dataclass

from base.errors import Text
from base.registry import Registry


@dataclass(frozen=True, slots=True)
class PlatformRight:
    """One thing that a role may allow on the company as a whole. `name` is what documents say."""

    name: str
    title: Text


MEMBERS_MANAGE = "members.manage"
"""The right whose last holder cannot lose it: without one nobody could let anybody in again."""

TEAMS_MANAGE = "teams.manage"
TOKENS_MANAGE = "tokens.manage"
ROLES_MANAGE = "roles.manage"
DOCUMENTS_READ = "documents.read"
DOCUMENTS_PUBLISH = "documents.publish"

SEEING_ROLES = (ROLES_MANAGE, MEMBERS_MANAGE, DOCUMENTS_READ)
"""With one of these a member may see which roles there are and what they give."""

PLATFORM_RIGHTS: Registry[PlatformRight] = Registry(
    PlatformRight(MEMBERS_MANAGE, Text("Add, change and deactivate members, give roles", "管理成员并分配角色")),
    PlatformRight(TEAMS_MANAGE, Text("Change the team tree and who belongs to it", "管理团队结构和团队成员")),
    PlatformRight(ROLES_MANAGE, Text("Write roles", "编写角色")),
    PlatformRight(TOKENS_MANAGE, Text("Make and revoke tokens of any member", "为任意成员创建和吊销令牌")),
    PlatformRight(DOCUMENTS_READ, Text("See configuration documents", "查看配置文档")),
    PlatformRight(DOCUMENTS_PUBLISH, Text("Publish configuration documents", "发布配置文档")),
    PlatformRight("forms.design", Text("Design forms", "设计表单")),
    PlatformRight("workflows.design", Text("Design approval workflows and automations", "设计审批流程和自动化")),
    PlatformRight("webhooks.manage", Text("Send change events to other systems", "管理外发变更事件")),
    PlatformRight("import", Text("Import files", "导入文件")),
    PlatformRight("export", Text("Export rows that the member may export", "导出有权导出的数据")),
    PlatformRight("audit.read", Text("Read the audit log", "查看审计日志")),
    PlatformRight("jobs.manage", Text("See and stop background jobs", "查看和停止后台任务")),
    PlatformRight("settings.manage", Text("Change company settings", "修改公司设置")),
)
"""All platform rights, in the order in which they are shown."""
