"""Run by the system's Python, which knows LibreOffice: opens documents in it, takes or rejects every change, saves them.

office.py PIPE (accept|reject|open) FROM TO [(accept|reject|open) FROM TO ...]
"""

import sys
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

COMMANDS = {"accept": ".uno:AcceptAllTrackedChanges", "reject": ".uno:RejectAllTrackedChanges"}


def main() -> None:
    context = connected(sys.argv[1])
    manager = context.ServiceManager
    desktop = manager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
    dispatcher = manager.createInstanceWithContext("com.sun.star.frame.DispatchHelper", context)
    jobs = sys.argv[2:]
    for what, source, target in zip(jobs[::3], jobs[1::3], jobs[2::3], strict=True):
        document = desktop.loadComponentFromURL(uno.systemPathToFileUrl(source), "_blank", 0, (said("Hidden", True),))
        if what in COMMANDS:
            dispatcher.executeDispatch(document.CurrentController.Frame, COMMANDS[what], "", 0, ())
        document.storeToURL(uno.systemPathToFileUrl(target), (said("FilterName", "MS Word 2007 XML"),))
        document.close(True)
    desktop.terminate()


def connected(pipe: str) -> object:
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(300):
        try:
            return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except NoConnectException:
            time.sleep(0.1)
    raise SystemExit("LibreOffice did not come")


def said(name: str, value: object) -> PropertyValue:
    made = PropertyValue()
    made.Name, made.Value = name, value
    return made


main()
