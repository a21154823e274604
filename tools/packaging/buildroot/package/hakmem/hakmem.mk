# SPDX-License-Identifier: MIT
################################################################################
#
# hakmem
#
################################################################################

HAKMEM_VERSION = local
HAKMEM_SITE = $(realpath $(BR2_EXTERNAL_HAKMEM_PATH)/../../..)
HAKMEM_SITE_METHOD = local
HAKMEM_LICENSE = MIT
HAKMEM_LICENSE_FILES = LICENSE
HAKMEM_INSTALL_STAGING = YES

HAKMEM_MAKE_OPTS = \
	CROSS_COMPILE="$(TARGET_CROSS)" \
	CC="$(TARGET_CC)" \
	CXX="$(TARGET_CXX)" \
	AR="$(TARGET_AR)" \
	NM="$(TARGET_NM)" \
	OBJCOPY="$(TARGET_OBJCOPY)" \
	KCFLAGS="$(TARGET_CFLAGS)" \
	KLDFLAGS="$(TARGET_LDFLAGS)"

HAKMEM_KCONFIG_DEFCONFIG = \
	$(call qstrip,$(BR2_PACKAGE_HAKMEM_DEFCONFIG))_defconfig
HAKMEM_KCONFIG_EDITORS = menuconfig nconfig
HAKMEM_KCONFIG_OPTS = $(HAKMEM_MAKE_OPTS)

# Without shared libraries, what links with static programs.
ifeq ($(BR2_STATIC_LIBS),y)
HAKMEM_PRODUCTS = hakmem.o libhakmem.a
else
HAKMEM_PRODUCTS = libhakmem.so hakmem.o libhakmem.a
endif

define HAKMEM_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) $(HAKMEM_MAKE_OPTS) -C $(@D) \
		$(HAKMEM_PRODUCTS)
endef

define HAKMEM_INSTALL_STAGING_CMDS
	$(INSTALL) -D -m 0644 $(@D)/include/hakmem.h \
		$(STAGING_DIR)/usr/include/hakmem.h
	$(INSTALL) -m 0644 $(@D)/hakmem.o $(@D)/libhakmem.a \
		$(STAGING_DIR)/usr/lib/
	$(HAKMEM_INSTALL_STAGING_SHARED)
endef

ifneq ($(BR2_STATIC_LIBS),y)
define HAKMEM_INSTALL_STAGING_SHARED
	$(INSTALL) -m 0755 $(@D)/libhakmem.so.1 $(STAGING_DIR)/usr/lib/
	ln -sf libhakmem.so.1 $(STAGING_DIR)/usr/lib/libhakmem.so
endef

define HAKMEM_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 $(@D)/libhakmem.so.1 \
		$(TARGET_DIR)/usr/lib/libhakmem.so.1
endef
endif

ifeq ($(BR2_PACKAGE_HAKMEM_PRELOAD),y)
define HAKMEM_PRELOAD_ALL
	grep -qsx /usr/lib/libhakmem.so.1 $(TARGET_DIR)/etc/ld.so.preload || \
		echo /usr/lib/libhakmem.so.1 \
		>> $(TARGET_DIR)/etc/ld.so.preload
endef
HAKMEM_POST_INSTALL_TARGET_HOOKS += HAKMEM_PRELOAD_ALL
endif

$(eval $(kconfig-package))
