# SPDX-License-Identifier: MIT
#
# One make process builds everything: the folder Makefiles only list objects
# (obj-y, obj-$(CONFIG_X), sub/), tools/build/Makefile.build walks them.
# The working directory is always the object tree. 'make help' lists the goals.

MAKEFLAGS += -rR --no-print-directory

export LC_COLLATE := C
export LC_NUMERIC := C

.PHONY: FORCE all
all:
FORCE:

srctree := $(realpath $(dir $(lastword $(MAKEFILE_LIST))))
goals := $(or $(MAKECMDGOALS),all)

ifneq ($(words $(CURDIR)) $(filter-out 0 1,$(words $(O))),1 )
$(error The path of the source or object tree contains spaces)
endif

# These goals read no configuration, and run one by one beside other goals.
lone-goals := setup setup-bench setup-install setup-cross
lone-goals += clean mrproper distclean
bare-goals := help check $(lone-goals) install uninstall deb
lone-goals += %config
# These make their own, where that is needed.
self-goals := run matrix cross selftests-all sanitize fuzz

KCONFIG_CONF ?= kconfig-conf
ifneq ($(filter-out $(bare-goals),$(goals)),)
ifeq ($(filter setup% run,$(goals))$(shell command -v $(KCONFIG_CONF)),)
$(error $(KCONFIG_CONF) was not found: run 'make setup', or install Debian's \
package kconfig-frontends-nox)
endif
endif

# --- Object tree -------------------------------------------------------------

ifneq ($(O),)
objtree := $(realpath $(shell mkdir -p $(O) && echo $(O)))
ifeq ($(objtree),)
$(error Cannot create the object tree '$(O)')
endif
else
objtree := $(CURDIR)
endif

ifneq ($(objtree),$(CURDIR))

.PHONY: $(goals) in-object-tree
$(sort all $(goals)): in-object-tree ; @:
in-object-tree:
	@$(MAKE) -C $(objtree) -f $(srctree)/Makefile O=$(objtree) $(goals)

else ifneq ($(and $(word 2,$(goals)),$(filter $(lone-goals),$(goals))),)

.PHONY: $(goals) one-by-one
$(sort all $(goals)): one-by-one ; @:
one-by-one:
	@set -e; for goal in $(goals); do \
		$(MAKE) -f $(srctree)/Makefile $$goal; \
	done

else

# --- Tools and verbosity -----------------------------------------------------

ifeq ($(V),1)
quiet :=
Q :=
else
quiet := quiet_
Q := @
endif
ifneq ($(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),)
quiet := silent_
endif

ifneq ($(LLVM),)
# LLVM=1, LLVM=-14 (a version suffix) or LLVM=/dir/ (a prefix)
llvm-prefix := $(filter %/,$(LLVM))
llvm-suffix := $(filter -%,$(LLVM))
CC = $(llvm-prefix)clang$(llvm-suffix)
CXX = $(llvm-prefix)clang++$(llvm-suffix)
AR = $(llvm-prefix)llvm-ar$(llvm-suffix)
NM = $(llvm-prefix)llvm-nm$(llvm-suffix)
OBJCOPY = $(llvm-prefix)llvm-objcopy$(llvm-suffix)
else
CC = $(CROSS_COMPILE)gcc
CXX = $(CROSS_COMPILE)g++
AR = $(CROSS_COMPILE)ar
NM = $(CROSS_COMPILE)nm
OBJCOPY = $(CROSS_COMPILE)objcopy
endif
AWK = awk

KCONFIG_CONFIG ?= .config
export KCONFIG_CONFIG KCONFIG_CONF
export srctree objtree quiet Q V AWK
export CC CXX AR NM OBJCOPY
unexport CONFIG_ KCONFIG_AUTOCONFIG KCONFIG_AUTOHEADER KCONFIG_TRISTATE

# auto.conf names only what is on: a CONFIG_X in the environment would turn on
# what is off.
$(foreach v,$(filter CONFIG_%,$(.VARIABLES)),\
	$(if $(filter environment%,$(origin $v)),$(eval undefine $v)))

# --- Goals -------------------------------------------------------------------

ifneq ($(filter %config,$(goals)),)

include $(srctree)/tools/build/Makefile.config

else ifneq ($(filter-out $(bare-goals) $(self-goals),$(goals)),)

include $(srctree)/tools/build/Makefile.sync
include $(srctree)/tools/build/Makefile.flags
include $(srctree)/tools/build/Makefile.build

selftests-make = $(MAKE) -f $(srctree)/selftests/Makefile \
		 srctree=$(srctree) objtree=$(objtree)

.PHONY: selftests selftests-long
selftests selftests-long: all libhakmem-prefixed.a
	+$(Q)$(selftests-make) $(if $(TARGETS),TARGETS="$(TARGETS)") \
		$(if $(filter %-long,$@),QUICK=) run_tests

export WORK ROUNDS PEERS CPUS RESULTS
.PHONY: soak
soak: all libhakmem-prefixed.a
	+$(Q)$(selftests-make) selftests/stress/soak/soak
	$(Q)selftests/stress/soak/soak $(or $(MINUTES),60) $(SEED)

.PHONY: fuzzer
fuzzer: libhakmem-prefixed.a
	+$(Q)$(selftests-make) selftests/stress/fuzz/replay_fuzz

.PHONY: bench bench-count
bench: all benchmarks
	$(Q)$(srctree)/tools/bench/suite.sh

bench-count: all benchmarks
	$(Q)$(srctree)/tools/bench/count.sh $(if $(GUARD),-g $(GUARD))

endif

# --- Install -----------------------------------------------------------------

# These never build: who installs may be another user, with another compiler.
export DESTDIR prefix bindir libdir includedir datadir mandir CROSS_COMPILE
.PHONY: install uninstall deb
install uninstall:
	$(Q)$(srctree)/tools/install/install.sh $@

deb:
	$(Q)$(srctree)/tools/packaging/deb/build.sh

# -----------------------------------------------------------------------------

.PHONY: run setup setup-bench setup-install setup-cross
.PHONY: check cross matrix selftests-all sanitize fuzz
run:
	$(Q)$(srctree)/tools/build/setup.sh build
	$(Q)$(MAKE) -f $(srctree)/Makefile all
	$(Q)$(srctree)/tools/build/run-demo.sh $(objtree)

setup:
	$(Q)$(srctree)/tools/build/setup.sh

setup-bench:
	$(Q)$(srctree)/tools/build/setup.sh bench

setup-cross:
	$(Q)$(srctree)/tools/build/setup.sh cross

setup-install:
	$(Q)$(srctree)/tools/build/setup.sh install

check:
	$(Q)$(srctree)/tools/check/all.sh $(srctree)

cross:
	$(Q)$(srctree)/tools/build/cross.sh $(KINDS)

matrix:
	$(Q)$(srctree)/tools/build/matrix.sh $(CONFIGS)

sanitize:
	$(Q)$(srctree)/tools/build/sanitize.sh $(KINDS)

fuzz:
	$(Q)SECONDS_EACH=$(or $(SECONDS),60) \
		$(srctree)/tools/build/sanitize.sh fuzz

selftests-all:
	$(Q)TARGETS="$(or $(TARGETS),all)" $(srctree)/tools/build/matrix.sh \
		$(notdir $(wildcard $(srctree)/mm/configs/*defconfig))

# --- Cleaning ----------------------------------------------------------------

built := *.o *.a *.s *.i .*.cmd .*.d

.PHONY: clean mrproper distclean
clean:
	$(Q)test ! -e include/config/auto.conf || \
		$(MAKE) -f $(srctree)/selftests/Makefile \
		srctree=$(srctree) objtree=$(objtree) clean
	$(Q)for folder in lib mm selftests tools; do \
		test ! -d $$folder || find $$folder -type f \
		\( $(patsubst %,-name '%' -o,$(built)) -false \) -delete; \
	done
	$(Q)rm -f $(addsuffix *,libhakmem. libhakmem-prefixed. hakmem. \
		.libhakmem .hakmem.) \
		$(patsubst $(srctree)/%.c,%,\
		$(wildcard $(srctree)/tools/bench/*.c))
	$(Q)rm -rf bench deb

mrproper: clean
	$(Q)rm -rf include/config include/generated
	$(Q)rm -f $(KCONFIG_CONFIG) $(KCONFIG_CONFIG).old ..config* \
		.tmpconfig* defconfig
	$(Q)test $(srctree) = $(objtree) || \
		find include lib mm selftests tools -depth -type d -empty \
		-delete 2>/dev/null || :

distclean: mrproper

help:
	@cat $(srctree)/tools/build/help.txt
	@cd $(srctree)/mm/configs && for file in *_defconfig *.config; do \
		test ! -e $$file || printf '  %-20s - %s\n' $$file \
		"$$(sed -n 's/^# Help: //p' $$file)"; done

endif
