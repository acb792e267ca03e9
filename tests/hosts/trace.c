/* SPDX-License-Identifier: Apache-2.0 */
/* Says which trace its calls belong to: before C_Initialize, wrongly, on two threads, and no more. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "p11guard.h"

#define FIRST "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define SECOND "00-11111111111111111111111111111111-2222222222222222-00"

static CK_FUNCTION_LIST_PTR module;
static struct p11guard_functions *guard;

/* A thread that says nothing of its own belongs to no trace. */
static void *other(void *argument)
{
    CK_INFO info;
    (void) argument;
    module->C_GetInfo(&info);
    printf("set on a thread %lx\n", guard->SetTraceContext(SECOND));
    module->C_GetInfo(&info);
    return NULL;
}

int main(int count, char **arguments)
{
    void *library = dlopen(count > 1 ? arguments[1] : "", RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    CK_C_GetInterface choose = (CK_C_GetInterface) dlsym(library, "C_GetInterface");
    CK_C_GetFunctionList list = (CK_C_GetFunctionList) dlsym(library, "C_GetFunctionList");
    CK_INTERFACE_PTR found = NULL;
    CK_INFO info;
    pthread_t thread;
    if (choose((CK_UTF8CHAR_PTR) P11GUARD_INTERFACE, NULL_PTR, &found, 0) != CKR_OK || list(&module) != CKR_OK)
        return 3;
    guard = (struct p11guard_functions *) found->pFunctionList;
    printf("version %d.%d\n", guard->version.major, guard->version.minor);
    printf("set %lx\n", guard->SetTraceContext(FIRST));
    printf("initialize %lx\n", module->C_Initialize(NULL_PTR));
    printf("malformed %lx\n", guard->SetTraceContext("00-zz"));
    module->C_GetInfo(&info);
    pthread_create(&thread, NULL, other, NULL);
    pthread_join(thread, NULL);
    printf("none %lx\n", guard->SetTraceContext(NULL));
    module->C_Finalize(NULL_PTR);
    return 0;
}
